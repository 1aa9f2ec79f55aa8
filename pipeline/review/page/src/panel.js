// The right-hand panel: what is known of the patch, why it was raised, corrections, and the verdicts.
import { fill, h, s } from './dom.js';
import { keyLabel } from './keys.js';
import { day, isChinese, percent, squareMetres, t } from './texts.js';
import { gcj02 } from './projections.js';

export const VERDICTS = ['problem', 'not_a_problem', 'under_watch', 'historical_harmless', 'unsure', 'bad_imagery', 'duplicate'];
export const REASONS = ['cloud_or_shadow', 'water_level', 'season_or_crop', 'permitted', 'misregistration', 'model_error', 'outside_scope', 'other'];
const CLASSES = ['occupation', 'mining', 'dumping', 'construction', 'undetermined'];
const SEVERITIES = ['general', 'serious', 'major'];

const row = (name, value) => (value === null || value === undefined || value === '' ? null : [h('dt', { text: t(name) }), h('dd', {}, value)]);

function chip(kind, value) {
  return h('span', { class: `chip ${kind}-${value}`, text: t(value) });
}

function evidence(patch) {
  const terms = Object.entries(patch.evidence ?? {}).filter(([name]) => name !== 'prior').sort((a, b) => Math.abs(b[1]) - Math.abs(a[1])).slice(0, 6);
  const most = Math.max(1, ...terms.map(([, value]) => Math.abs(value)));
  return h('ul', { class: 'evidence' }, terms.map(([name, value]) => {
    const bar = s('svg', { viewBox: '-50 0 100 6', preserveAspectRatio: 'none', 'aria-hidden': 'true' });
    const width = (48 * Math.abs(value)) / most;
    bar.append(s('rect', { x: value < 0 ? -width : 0, y: 0, width, height: 6, rx: 1.5, class: value < 0 ? 'minus' : 'plus' }));
    return h('li', {}, h('span', { text: t(name) }), bar, h('span', { class: 'number', text: value.toFixed(1) }));
  }));
}

/** Why the rules gave it this class and this severity, in the reader's language; older assessments hold one text for both. */
export function reasons(patch) {
  const rules = (patch.explanation?.parts?.rules ?? []).filter((rule) => rule.fired && rule.reason && ['issues', 'severity'].includes(rule.table));
  return rules.map(({ reason }) => (typeof reason === 'string' ? reason : reason[isChinese() ? 'chinese' : 'english']));
}

/** Area over time: dots for what was seen, gaps for what was not observed. */
export function history(events) {
  const points = events.map((event) => ({ at: Date.parse(event.date), area: event.area_m2, event: event.event, date: event.date }));
  const [first, last] = [Math.min(...points.map((point) => point.at)), Math.max(...points.map((point) => point.at))];
  const most = Math.max(1, ...points.map((point) => point.area ?? 0));
  const x = (at) => (last > first ? 8 + (284 * (at - first)) / (last - first) : 150);
  const y = (area) => 52 - (42 * area) / most;
  const told = points.filter((point) => point.area !== null);
  const words = points.map((point) => `${day(point.date)} ${t(point.event)}${point.area === null ? '' : ` ${squareMetres(point.area)}`}`).join('; ');
  const picture = s('svg', { viewBox: '0 0 300 60', class: 'history', role: 'img', 'aria-label': words });
  picture.append(s('line', { x1: 0, y1: 52.5, x2: 300, y2: 52.5, class: 'axis' }));
  if (told.length > 1) picture.append(s('polyline', { points: told.map((point) => `${x(point.at)},${y(point.area)}`).join(' '), class: 'series' }));
  for (const point of points) {
    const dot = s('circle', { cx: x(point.at), cy: point.area === null ? 52 : y(point.area), r: 4, class: point.area === null ? 'not-told' : 'told' });
    dot.append(s('title', {}, `${day(point.date)} · ${t(point.event)}${point.area === null ? '' : ` · ${squareMetres(point.area)}`}`));
    picture.append(dot);
  }
  return picture;
}

export class Panel {
  constructor(host, desk) {
    this.desk = desk;
    this.facts = h('div', { class: 'facts' });
    this.correction = h('section', { class: 'correction', 'aria-label': t('correct') });
    this.reasons = h('div', { class: 'reasons', role: 'group', 'aria-label': t('reason'), hidden: true });
    this.extra = h('div', { class: 'extra', hidden: true });
    this.note = h('textarea', { rows: '2', 'aria-label': t('note'), placeholder: `${t('note_hint')} (${keyLabel('note')})`, maxlength: '2000', oninput: () => desk.draft({ note: this.note.value }) });
    this.draftMark = h('span', { class: 'draft-mark', hidden: true, text: t('draft') });
    this.buttons = h('div', { class: 'verdicts', role: 'group', 'aria-label': t('help_verdict') });
    for (const verdict of VERDICTS) {
      this.buttons.append(h('button', { type: 'button', class: `verdict ${verdict}`, 'data-verdict': verdict, onclick: () => desk.verdict(verdict) }, h('kbd', { text: keyLabel(verdict) }), h('span', { text: t(verdict) })));
    }
    this.footer = h('div', { class: 'decide' }, this.reasons, this.extra, this.note, this.buttons,
      h('div', { class: 'minor' },
        h('button', { type: 'button', class: 'quiet', onclick: () => desk.act('undo') }, h('kbd', { text: keyLabel('undo') }), t('undo')),
        h('button', { type: 'button', class: 'quiet', onclick: () => desk.act('skip') }, h('kbd', { text: keyLabel('skip') }), t('skip')),
        this.draftMark));
    fill(host, this.facts, this.footer);
  }

  empty(text) {
    fill(this.facts, h('p', { class: 'empty', text }));
    this.footer.hidden = true;
  }

  show(patch, draft, mayDecide) {
    this.footer.hidden = !mayDecide;
    const told = patch.assessment ?? {};
    const severity = draft.corrected?.severity ?? patch.corrected?.severity ?? told.severity;
    const issue = draft.corrected?.issue_class ?? patch.corrected?.issue_class ?? patch.issue_class;
    const [lon, lat] = patch.centre;
    const shifted = gcj02([lon, lat]).map((value) => value.toFixed(6));
    const words = isChinese() ? patch.explanation?.text_zh ?? patch.explanation?.text : patch.explanation?.text;
    fill(this.facts,
      h('header', {},
        h('div', { class: 'chips' }, chip('class', issue), severity ? chip('severity', severity) : null, patch.review.state === 'open' ? null : h('span', { class: 'chip state', text: t(patch.review.state) })),
        h('h2', { text: `${t(patch.object_class)} · ${squareMetres(patch.area_m2)}` }),
        h('p', { class: 'place' }, patch.reach_name, h('small', { text: patch.patch_id }))),
      (patch.shown_again ?? []).map((request) => h('p', { class: 'again', role: 'note' }, h('b', { text: `${t('shown_again')}: ` }), t(`again_${request.reason.replace('finding.', '')}`, { closed: day(request.closed_at), date: day(request.acquired_at) }), h('small', { text: request.finding_id }))),
      h('section', { 'aria-label': t('why') }, h('h3', { text: t('why') }), reasons(patch).map((text) => h('p', { class: 'rule-reason', text })), evidence(patch)),
      h('dl', {},
        row('change', patch.change_type.split('_to_').map((part) => t(part).toLowerCase()).join(' → ')),
        row('confidence', percent(patch.confidence)), row('score', patch.review_score === null ? null : percent(patch.review_score)),
        row('registration', patch.coreg_rmse_px === null ? null : `${patch.coreg_rmse_px.toFixed(2)} px`), row('valid', percent(patch.valid_fraction)),
        row('river', told.river_name), row('permit', told.permit_status), row('chief', told.chief_county), row('deadline', told.deadline), row('model', patch.model),
        row('coordinates', h('span', { class: 'coordinates' }, `${lon.toFixed(6)}, ${lat.toFixed(6)} `,
          h('button', { type: 'button', class: 'link', text: t('copy'), onclick: () => this.desk.copy(`${lon.toFixed(6)}, ${lat.toFixed(6)}`) }), ' ',
          h('a', { href: `https://uri.amap.com/marker?position=${shifted.join(',')}&coordinate=gaode`, target: '_blank', rel: 'noreferrer noopener', text: t('gcj') })))),
      words ? h('details', { open: true }, h('summary', { text: t('explanation') }), h('p', { class: 'words', text: words })) : null,
      patch.case ? h('section', { 'aria-label': t('history') }, h('h3', { text: t('history') }), history(patch.case.events)) : null,
      this.correction,
      h('section', { 'aria-label': t('decisions') }, h('h3', { text: t('decisions') }), patch.decisions.length ? h('ol', { class: 'decisions' }, patch.decisions.map((made) => h('li', {}, h('b', { text: made.verdict ? t(made.verdict) : t('undo') }), made.reason ? ` · ${t(made.reason)}` : '', made.note ? ` · ${made.note}` : '', made.split_off ? [' · ', t('split_into'), ' ', h('button', { type: 'button', class: 'link', text: made.split_off, onclick: () => this.desk.choose(made.split_off) })] : '', h('small', { text: `${made.reviewer} · ${day(made.decided_at)}` })))) : h('p', { class: 'quiet-text', text: t('none_yet') })));
    this.corrections(patch, draft, issue, severity, mayDecide);
    this.note.value = draft.note ?? '';
    this.draftMark.hidden = !draft.kept;
    this.askReason(false);
    this.extra.hidden = true;
  }

  corrections(patch, draft, issue, severity, mayDecide) {
    const change = (corrected) => this.desk.draft({ corrected: { ...this.desk.current.draft.corrected, ...corrected } });
    const choice = (label, values, chosen, onchange, texts = t) => h('label', { class: 'field' }, h('span', { text: label }), h('select', { onchange: (event) => onchange(event.target.value), disabled: !mayDecide }, values.map((value) => h('option', { value, selected: value === (chosen ?? ''), text: value === '' ? '–' : texts(value) }))));
    const subTypes = this.desk.session.sub_types.filter((one) => one.issue_class === issue);
    const chosen = draft.corrected?.sub_type ?? patch.corrected?.sub_type ?? patch.assessment?.sub_type;
    const nameOf = (code) => `${code} ${subTypes.find((one) => one.code === code)[isChinese() ? 'chinese' : 'english']}`;
    this.firstChoice = choice(t('class'), CLASSES, issue, (value) => change({ issue_class: value, sub_type: undefined }));
    const tool = (action, label) => h('button', { type: 'button', class: 'tool', disabled: !mayDecide, onclick: () => this.desk.act(action) }, h('kbd', { text: keyLabel(action) }), t(label));
    fill(this.correction, h('h3', { text: t('correct') }),
      h('div', { class: 'choices' }, this.firstChoice,
        choice(t('sub_type'), ['', ...subTypes.map((one) => one.code)], chosen, (value) => change({ sub_type: value || undefined }), nameOf),
        choice(t('severity'), ['', ...SEVERITIES], severity, (value) => change({ severity: value || undefined }))),
      h('div', { class: 'tools' }, tool('edit', 'edit_outline'), tool('split', 'split'), tool('redraw', 'redraw'),
        draft.corrected?.geometry ? h('button', { type: 'button', class: 'tool', text: t('reset'), onclick: () => this.desk.resetOutline() }) : null));
  }

  /** Shows the reasons of a rejection, or hides them. */
  askReason(asked) {
    this.reasons.hidden = !asked;
    if (!asked) return;
    fill(this.reasons, REASONS.map((reason, i) => h('button', { type: 'button', class: 'reason', onclick: () => this.desk.reject(reason) }, h('kbd', { text: String(i + 1) }), t(reason))));
    this.reasons.firstChild.focus({ preventScroll: true });
  }

  /** Asks for a word: why "other", or which patch is repeated. */
  askWord(label, hint, then) {
    const input = h('input', { type: 'text', 'aria-label': label, placeholder: hint, maxlength: '400' });
    const form = h('form', { onsubmit: (event) => { event.preventDefault(); if (input.value.trim()) { this.extra.hidden = true; input.blur(); then(input.value.trim()); } } }, h('label', { class: 'field' }, h('span', { text: label }), input), h('button', { class: 'primary small', text: '⏎', 'aria-label': t('do_confirm') }));
    input.addEventListener('keydown', (event) => { if (event.key === 'Escape') { this.extra.hidden = true; input.blur(); } });
    fill(this.extra, form);
    this.extra.hidden = false;
    input.focus();
    this.wordInput = input;
  }
}
