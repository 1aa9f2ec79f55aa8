// Every word of the pages, in English and Chinese.

export const TEXTS = {
  en: {
    left_out: 'Left out, {n}: {names}', left_leased: 'somebody looks at it now', left_stale: 'decided meanwhile: {verdict}', reason_choose: 'Choose a reason …', not_loaded: 'Could not be loaded: {detail}',
    shown_again: 'Shown again', again_closure_contradicted: 'closure asked for on {closed}, but the imagery of {date} still shows it.', again_recurred: 'closed since {closed}, and back on the imagery of {date}.', again_closure_cannot_be_told: 'closure asked for on {closed}; the imagery of {date} does not tell.', split_into: 'split off:',
    building: 'Building', greenhouse: 'Greenhouse', stockpile: 'Stockpile', pit: 'Pit', dredger: 'Dredger', cage: 'Cages', dike: 'Dike', cropland: 'Cropland', bare_ground: 'Bare ground', unclassified: 'Unclassified change',
    water: 'water', bare: 'bare', built_up: 'built up', crops: 'crops', low_vegetation: 'low vegetation', trees: 'trees', no_object: 'no object', dump: 'dump', fish_cage: 'fish cage',
    alteration: 'Alteration', class_change: 'Change of class', contrast: 'Contrast', core: 'Core', learned: 'Learned', magnitude: 'Magnitude', object_change: 'Change of object', shape: 'Shape', size: 'Size', water_change: 'Change of water', actions: 'Actions',
    new: 'new', persisting: 'still there', expanded: 'larger', shrunk: 'smaller', cleared: 'gone', recurred: 'came back', unseen: 'not seen', merged: 'merged', expired: 'expired',
    title: 'Review', login: 'Log in', account: 'Account', password: 'Password', logout: 'Log out', logout_all: 'Log out everywhere',
    wrong: 'Wrong account or password.', password_due: 'Choose a password of your own: at least 12 characters, several words.',
    login_by: 'Log in by {name}', provider_only: 'This account logs in by the identity provider, not with a password.', link: 'Link', unlink: 'Unlink', linked: 'linked', expected: 'linked, nobody came yet',
    refused_provider_unreachable: 'The identity provider does not answer. Log in with a password, or try again later.', refused_provider_not_begun: 'This log-in took too long, or began in another window. Begin again.', refused_provider_denied: 'The identity provider says that the log-in was declined.',
    refused_provider_refused: 'The identity provider refuses this server. An administrator finds the reason in its log.', refused_provider_token: 'What the identity provider says can’t be trusted. An administrator finds the reason in the log.', refused_provider_unknown: 'There is no account for you here. Ask an administrator for one.',
    refused_provider_no_code: 'The identity provider gives no code of an account for you. Ask an administrator.', refused_provider_no_role: 'The identity provider gives you no role that lets you in here. Ask an administrator.', refused_provider_disabled: 'Your account is disabled here. Ask an administrator.', refused_too_many: 'Too many attempts. Wait a minute.',
    new_password: 'New password', old_password: 'One-time password', change_password: 'Set password', language: '中文',
    waiting: 'waiting', today: 'by you today', queue: 'Queue', filters: 'Filters', all: 'all', mine: 'Only mine', nothing: 'Nothing waits here.',
    nothing_more: 'All done in this queue. Take a break, or widen the filters.', class: 'Class', severity: 'Severity', reach: 'Reach',
    county: 'County', sensor: 'Sensor', state: 'State', age: 'Age', newer_than: 'last {n} days', open: 'open', second_opinion: 'second opinion',
    third_opinion: 'third opinion', disputed: 'disputed', decided: 'decided', more: 'More',
    occupation: 'Occupation', mining: 'Mining', dumping: 'Dumping', construction: 'Construction', undetermined: 'Undetermined',
    general: 'General', serious: 'Serious', major: 'Major', unknown: 'not known',
    problem: 'Problem', not_a_problem: 'Not a problem', under_watch: 'Under watch', historical_harmless: 'Historical, harmless',
    unsure: 'Unsure, field check', bad_imagery: 'Bad imagery', duplicate: 'Duplicate …', undo: 'Undo', skip: 'Skip',
    reason: 'Why not?', cloud_or_shadow: 'Cloud or shadow', water_level: 'Water level', season_or_crop: 'Season or crop', permitted: 'Permitted',
    misregistration: 'Misregistration', model_error: 'Model error', outside_scope: 'Outside scope', other: 'Other …',
    note: 'Note', note_hint: 'What else there is to say', note_needed: 'Say in a few words what it is.', duplicate_hint: 'Id of the patch that it repeats, or click a neighbour on the map',
    before: 'Before', after: 'After', swipe: 'Swipe', opacity: 'Opacity', blink: 'Blink', side_by_side: 'Side by side', bands: 'Bands',
    natural: 'Natural', infrared: 'Infrared', shortwave: 'Shortwave', swipe_position: 'Position of the swipe', opacity_value: 'Opacity of the later date',
    why: 'Why it was raised', explanation: 'The whole reasoning', change: 'Change', confidence: 'Confidence', score: 'Score', registration: 'Registration', valid: 'Observed',
    model: 'Model', place: 'Place', evidence: 'Evidence', history: 'History of the case', decisions: 'Decisions', none_yet: 'None yet.', permit: 'Permit', river: 'River', chief: 'Chief', deadline: 'Deadline',
    correct: 'Correct', sub_type: 'Sub-type', edit_outline: 'Edit outline', redraw: 'Redraw', split: 'Split', done: 'Done', reset: 'As it was', outline_corrected: 'Outline corrected',
    editing: 'Drag corners; Alt-click removes one. Or [ ] choose one, arrows move it, J adds, Del removes. ⏎ ends, Esc leaves it as it was.', drawing: 'Click corner after corner; double-click ends. Esc leaves it.', splitting: 'Draw a line across the outline; the larger part stays, the other becomes a patch of its own. Esc leaves it.', split_failed: 'The line has to cross the outline twice.',
    corner: 'Corner {n} of {of}', corner_moved: 'Corner {n}: {metres} {way}', corner_removed: 'Corner removed, {of} left', corner_inserted: 'Corner {n} of {of} added', corners_least: 'An outline has at least three corners.', west: 'west', east: 'east', north: 'north', south: 'south',
    do_corner_before: 'Corner before', do_corner_after: 'Next corner', do_corner_left: 'A pixel west', do_corner_right: 'A pixel east', do_corner_up: 'A pixel north', do_corner_down: 'A pixel south', do_corner_insert: 'Add a corner after it', do_corner_remove: 'Remove it',
    layers: 'Layers', neighbours: 'Neighbours', cases: 'Cases', scope: 'Managed reaches', zones: 'Scopes and zones', permits: 'Permits and projects', known: 'Known problems', units: 'Administrative units', coverage: 'Coverage', measuring: 'Click along what you measure; double-click ends.',
    coordinates: 'CGCS2000', copy: 'Copy', copied: 'Copied', gcj: 'Navigate (GCJ-02)', strip: 'Passes of this place', lease: 'Kept for you', unobserved: 'not observed', imagery_missing: 'The imagery of this pass can’t be read.',
    lease_expired: 'Your time with this patch ran out. Your draft is kept: press the verdict again to send it.', leased: 'Somebody else looks at this patch now. Your draft is kept; take the next one.', stale: 'Somebody decided meanwhile: {verdict}. Your draft is kept.',
    take_up: 'Take it up again', sent: '{verdict} · Z takes it back', undone: 'Taken back.', not_undone: 'Not taken back, {n}: {names}', nothing_to_undo: 'Nothing to take back.', failed: 'Could not be sent: {detail}', draft: 'Draft kept', held: 'delivered after {n} min', offline: 'The server does not answer. What you decided is kept and sent again.',
    help: 'Shortcuts', help_verdict: 'Verdict', help_compare: 'Compare', help_map: 'Map', help_correct: 'Correct', help_corners: 'Corners, while an outline is edited', help_page: 'Page', help_typing: 'Shortcuts pause while you type.', close: 'Close', keys_1_8: 'Reason of a rejection',
    figures: 'Figures', yield: 'Confirmed of shown', by: 'By', issue_class: 'Class', month: 'Month', reviewer: 'Reviewer', agreement: 'Agreement of reviewers', median: 'Seconds a patch', interval: '95 % interval', kappa: 'κ', share: 'Share',
    accounts: 'Accounts', role: 'Role', scope_words: 'Scope', add: 'Add', disable: 'Disable', enable: 'Enable', new_password_once: 'Password, shown once: {password}', viewer: 'Viewer', field: 'Field', supervisor: 'Supervisor', administrator: 'Administrator', disabled: 'disabled', sessions: 'Sessions',
    audit: 'Audit', audit_sample: 'Audit sample', percent: 'Percent', rejected_only: 'Only “not a problem”', draw_sample: 'Draw', auditing: 'Audit: {n} left',
    selected: '{n} selected', select: 'Select {id}', bulk_done: '{n} decided · Z takes them back', bad_pass_done: 'Whole pass: {n} decided · Z takes them back',
    field_check: 'Field check', field_link: 'Link for a field check', link_until: 'Opens this patch until {date}, without a password.', distance: 'Distance', position: 'Your position', no_position: 'No position yet.', photos: 'Photographs', add_photo: 'Add a photograph', photo_added: 'Added · {when}', outcome: 'Outcome', send: 'Send', sent_thanks: 'Sent. Thank you.', link_over: 'This link has run out. Ask for a new one.',
    do_problem: 'Problem', do_not_a_problem: 'Not a problem, then 1–8', do_under_watch: 'Under watch', do_historical_harmless: 'Historical, harmless', do_unsure: 'Unsure, field check', do_bad_imagery: 'Bad imagery', do_duplicate: 'Duplicate', do_undo: 'Take back', do_skip: 'Skip', do_bad_pass: 'Bad imagery, whole pass',
    do_swipe: 'Swipe', do_opacity: 'Opacity', do_blink: 'Blink', do_side_by_side: 'Side by side', do_slide_left: 'Slide left', do_slide_right: 'Slide right', do_next_bands: 'Next bands', do_earlier_pass: 'Earlier pass', do_later_pass: 'Later pass',
    do_zoom_in: 'Closer', do_zoom_out: 'Farther', do_home: 'Back to the patch', do_outline: 'Outline on, off', do_layers: 'Layers', do_measure: 'Measure',
    do_edit: 'Edit outline', do_split: 'Split', do_redraw: 'Redraw', do_correct: 'Class and severity', do_note: 'Note', do_queue: 'Queue', do_field_link: 'Field check', do_figures: 'Figures', do_help: 'This help', do_cancel: 'Cancel, close', do_confirm: 'Confirm',
  },
  zh: {
    left_out: '未处理 {n} 个：{names}', left_leased: '他人正在复核', left_stale: '期间已作结论：{verdict}', reason_choose: '请选择理由…', not_loaded: '无法加载：{detail}',
    shown_again: '再次复核', again_closure_contradicted: '{closed} 申请销号，但 {date} 影像显示问题仍在。', again_recurred: '{closed} 起已销号，{date} 影像显示问题反弹。', again_closure_cannot_be_told: '{closed} 申请销号，{date} 影像无法判断。', split_into: '分出图斑：',
    building: '建筑', greenhouse: '大棚', stockpile: '堆场', pit: '采坑', dredger: '采砂船', cage: '网箱', dike: '堤坝', cropland: '耕地', bare_ground: '裸地', unclassified: '未分类变化',
    water: '水体', bare: '裸地', built_up: '建设用地', crops: '耕地', low_vegetation: '低矮植被', trees: '林木', no_object: '无地物', dump: '堆体', fish_cage: '网箱',
    alteration: '光谱变化', class_change: '类别变化', contrast: '对比', core: '核心', learned: '模型', magnitude: '幅度', object_change: '地物变化', shape: '形状', size: '大小', water_change: '水体变化', actions: '操作',
    new: '新增', persisting: '仍在', expanded: '扩大', shrunk: '缩小', cleared: '消除', recurred: '复发', unseen: '未见', merged: '合并', expired: '失效',
    title: '内业复核', login: '登录', account: '账号', password: '密码', logout: '退出', logout_all: '退出所有设备',
    wrong: '账号或密码不正确。', password_due: '请设置自己的密码：至少 12 个字符，最好是几个词。',
    login_by: '通过 {name} 登录', provider_only: '此账号须通过身份提供方登录，不能使用密码。', link: '关联', unlink: '取消关联', linked: '已关联', expected: '已关联，尚未登录',
    refused_provider_unreachable: '身份提供方无响应。请使用密码登录，或稍后再试。', refused_provider_not_begun: '登录超时，或在其他窗口发起。请重新登录。', refused_provider_denied: '身份提供方表示登录被拒绝。',
    refused_provider_refused: '身份提供方拒绝了本服务器。原因见服务器日志，请联系管理员。', refused_provider_token: '身份提供方返回的信息不可信。原因见服务器日志，请联系管理员。', refused_provider_unknown: '您在此没有账号，请联系管理员。',
    refused_provider_no_code: '身份提供方未给出您的账号编号，请联系管理员。', refused_provider_no_role: '身份提供方未授予您可登录此处的角色，请联系管理员。', refused_provider_disabled: '您的账号已停用，请联系管理员。', refused_too_many: '尝试次数过多，请稍候一分钟。',
    new_password: '新密码', old_password: '一次性密码', change_password: '设置密码', language: 'English',
    waiting: '待复核', today: '今日已复核', queue: '队列', filters: '筛选', all: '全部', mine: '只看我的', nothing: '这里没有待复核图斑。',
    nothing_more: '本队列已全部完成。休息一下，或放宽筛选条件。', class: '类别', severity: '严重程度', reach: '岸段',
    county: '县', sensor: '传感器', state: '状态', age: '时间', newer_than: '最近 {n} 天', open: '待复核', second_opinion: '待二审',
    third_opinion: '待三审', disputed: '有争议', decided: '已复核', more: '更多',
    occupation: '乱占', mining: '乱采', dumping: '乱堆', construction: '乱建', undetermined: '待定',
    general: '一般', serious: '较严重', major: '重大', unknown: '未知',
    problem: '问题', not_a_problem: '非问题', under_watch: '挂账监管', historical_harmless: '历史遗留、无害',
    unsure: '存疑 · 现场核查', bad_imagery: '影像不合格', duplicate: '重复图斑 …', undo: '撤销', skip: '跳过',
    reason: '理由', cloud_or_shadow: '云或阴影', water_level: '水位变化', season_or_crop: '季节或作物', permitted: '已批准',
    misregistration: '配准误差', model_error: '模型误判', outside_scope: '范围之外', other: '其他 …',
    note: '备注', note_hint: '补充说明', note_needed: '请简要说明。', duplicate_hint: '与之重复的图斑编号，或在图上点选相邻图斑',
    before: '前时相', after: '后时相', swipe: '卷帘', opacity: '透明度', blink: '闪烁', side_by_side: '并列', bands: '波段',
    natural: '真彩色', infrared: '假彩色', shortwave: '短波红外', swipe_position: '卷帘位置', opacity_value: '后时相透明度',
    why: '发现依据', explanation: '判定全过程', change: '变化', confidence: '置信度', score: '得分', registration: '配准', valid: '有效观测',
    model: '模型', place: '位置', evidence: '证据', history: '历史', decisions: '复核记录', none_yet: '暂无。', permit: '许可', river: '河流', chief: '河长', deadline: '期限',
    correct: '修正', sub_type: '细类', edit_outline: '编辑边界', redraw: '重绘', split: '分割', done: '完成', reset: '恢复原样', outline_corrected: '边界已修正',
    editing: '拖动节点，按住 Alt 单击删除；或用 [ ] 选择节点，方向键移动，J 添加，Del 删除。⏎ 完成，Esc 恢复。', drawing: '依次单击节点，双击结束。Esc 取消。', splitting: '画一条线穿过边界；较大部分保留，另一部分成为新图斑。Esc 取消。', split_failed: '分割线须穿过边界两次。',
    corner: '节点 {n}，共 {of} 个', corner_moved: '节点 {n}：向{way} {metres}', corner_removed: '已删除节点，剩余 {of} 个', corner_inserted: '已添加节点 {n}，共 {of} 个', corners_least: '边界至少需要三个节点。', west: '西', east: '东', north: '北', south: '南',
    do_corner_before: '上一个节点', do_corner_after: '下一个节点', do_corner_left: '西移一个像元', do_corner_right: '东移一个像元', do_corner_up: '北移一个像元', do_corner_down: '南移一个像元', do_corner_insert: '在其后添加节点', do_corner_remove: '删除节点',
    layers: '图层', neighbours: '相邻图斑', cases: '案件', scope: '管理范围', zones: '功能区与保护区', permits: '许可与项目', known: '已知问题', units: '行政区', coverage: '覆盖情况', measuring: '沿量测对象单击，双击结束。',
    coordinates: 'CGCS2000', copy: '复制', copied: '已复制', gcj: '导航（GCJ-02）', strip: '本处各期影像', lease: '为您保留', unobserved: '未观测', imagery_missing: '该期影像无法读取。',
    lease_expired: '保留时间已到，草稿已保存：再按一次结论键即可提交。', leased: '他人正在复核此图斑。草稿已保存，请看下一个。', stale: '他人已作出结论：{verdict}。草稿已保存。',
    take_up: '重新领取', sent: '{verdict} · 按 Z 撤销', undone: '已撤销。', not_undone: '未能撤销 {n} 个：{names}', nothing_to_undo: '没有可撤销的结论。', failed: '提交失败：{detail}', draft: '草稿已保存', held: '{n} 分钟后下发', offline: '服务器无响应。您的结论已保存，将自动重发。',
    help: '快捷键', help_verdict: '结论', help_compare: '对比', help_map: '地图', help_correct: '修正', help_corners: '编辑边界时的节点', help_page: '页面', help_typing: '输入文字时快捷键暂停。', close: '关闭', keys_1_8: '非问题的理由',
    figures: '统计', yield: '确认率', by: '按', issue_class: '类别', month: '月份', reviewer: '复核人', agreement: '复核一致性', median: '每图斑秒数', interval: '95 % 区间', kappa: 'κ', share: '比例',
    accounts: '账号', role: '角色', scope_words: '范围', add: '添加', disable: '停用', enable: '启用', new_password_once: '密码（仅显示一次）：{password}', viewer: '查看', field: '巡河', supervisor: '审核', administrator: '管理', disabled: '已停用', sessions: '会话',
    audit: '抽查', audit_sample: '抽查样本', percent: '比例 %', rejected_only: '仅“非问题”', draw_sample: '抽取', auditing: '抽查：剩余 {n}',
    selected: '已选 {n} 个', select: '选择 {id}', bulk_done: '已复核 {n} 个 · 按 Z 撤销', bad_pass_done: '整期影像：{n} 个 · 按 Z 撤销',
    field_check: '现场核查', field_link: '现场核查链接', link_until: '无需密码即可打开此图斑，有效期至 {date}。', distance: '距离', position: '当前位置', no_position: '尚无定位。', photos: '照片', add_photo: '添加照片', photo_added: '已添加 · {when}', outcome: '核查结果', send: '提交', sent_thanks: '已提交，谢谢。', link_over: '链接已失效，请重新获取。',
    do_problem: '问题', do_not_a_problem: '非问题，再按 1–8', do_under_watch: '挂账监管', do_historical_harmless: '历史遗留、无害', do_unsure: '存疑，现场核查', do_bad_imagery: '影像不合格', do_duplicate: '重复图斑', do_undo: '撤销', do_skip: '跳过', do_bad_pass: '整期影像不合格',
    do_swipe: '卷帘', do_opacity: '透明度', do_blink: '闪烁', do_side_by_side: '并列', do_slide_left: '左移', do_slide_right: '右移', do_next_bands: '切换波段', do_earlier_pass: '更早一期', do_later_pass: '更晚一期',
    do_zoom_in: '放大', do_zoom_out: '缩小', do_home: '回到图斑', do_outline: '显示或隐藏边界', do_layers: '图层', do_measure: '量测',
    do_edit: '编辑边界', do_split: '分割', do_redraw: '重绘', do_correct: '类别与程度', do_note: '备注', do_queue: '队列', do_field_link: '现场核查', do_figures: '统计', do_help: '帮助', do_cancel: '取消、关闭', do_confirm: '确认',
  },
};

let language = 'en';

/** Chooses a language and keeps the choice in this browser. */
export function setLanguage(chosen) {
  language = chosen === 'zh' ? 'zh' : 'en';
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  try { localStorage.setItem('language', language); } catch { /* a browser that keeps nothing */ }
}

/** The kept language, else the browser's. */
export function chooseLanguage() {
  let kept = null;
  try { kept = localStorage.getItem('language'); } catch { /* a browser that keeps nothing */ }
  setLanguage(kept ?? (navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en'));
}

export const isChinese = () => language === 'zh';
export const otherLanguage = () => (language === 'zh' ? 'en' : 'zh');

/** A text, with values put in. What has no text stands for itself. */
export function t(name, values = {}) {
  const text = TEXTS[language][name] ?? String(name ?? '').replaceAll('_', ' ');
  return text.replace(/\{(\w+)\}/g, (_, key) => values[key] ?? '');
}

/** Whether there is a text of that name. */
export const isKnown = (name) => Object.hasOwn(TEXTS[language], name);

const locale = () => (language === 'zh' ? 'zh-CN' : 'en-GB');

/** A date, as exact as it matters here. */
export const day = (time) => (time ? new Date(time).toISOString().slice(0, 10) : '–');

/** An area with its unit. */
export function squareMetres(value) {
  const number = new Intl.NumberFormat(locale(), { maximumFractionDigits: value < 1000 ? 1 : 0 });
  return value >= 1e6 ? `${new Intl.NumberFormat(locale(), { maximumFractionDigits: 2 }).format(value / 1e6)} km²` : `${number.format(value)} m²`;
}

/** A length with its unit. */
export const metres = (value) => (value >= 2000 ? `${(value / 1000).toFixed(2)} km` : `${value.toFixed(1)} m`);

/** A share in percent. */
export const percent = (share) => `${(100 * share).toFixed(0)} %`;
