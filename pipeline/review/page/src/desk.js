// The desk: one patch after the other, decided by keyboard.
import { get, newId, post, postSurely } from './api.js';
import { MODES } from './compare.js';
import * as dialogs from './dialogs.js';
import { announce, fill, h, isTyping } from './dom.js';
import { draftOf, dropDraft, keepDraft } from './drafts.js';
import { actionOf, pressed } from './keys.js';
import { layout } from './layout.js';
import { ReviewMap } from './map.js';
import { Panel, REASONS, VERDICTS } from './panel.js';
import { QueuePane } from './queue.js';
import { enter } from './session.js';
import { day, t } from './texts.js';

const EMPTY = () => ({ note: '', corrected: {} });
const address = (id) => `/api/patches/${encodeURIComponent(id)}`;

/** The first of many names. */
const named = (names) => [...names.slice(0, 8), ...(names.length > 8 ? ['…'] : [])].join(', ');

class Desk {
  constructor(session, parts) {
    this.session = session;
    this.parts = parts;
    this.mayDecide = session.rights.includes('Decide');
    this.undoable = [];
    this.pending = new Set();
    this.skipped = [];
    // decided, and perhaps not at the server yet: not to be handed out again
    this.sent = [];
    this.panel = new Panel(parts.panel, this);
    this.map = new ReviewMap({
      target: parts.map, second: parts.second, host: parts.stage,
      onCoordinates: ([lon, lat]) => { parts.coordinates.textContent = `${t('coordinates')} ${lon.toFixed(6)}, ${lat.toFixed(6)}`; },
      onOutline: (geometry, part) => { this.draft({ corrected: { ...this.current.draft.corrected, geometry, split_off: part } }); this.refresh(); },
      onNeighbour: (id) => { if (!this.panel.extra.hidden && this.panel.wordInput) this.panel.wordInput.value = id; else this.choose(id); },
    });
    this.queue = new QueuePane(parts.queue, {
      onFilter: () => { this.next = null; this.skipped = []; },
      onChoose: (id) => this.choose(id),
      mayBulk: session.rights.includes('DecideInBulk'),
      onBulk: (rows, verdict, reason, note) => this.bulk(rows, verdict, reason, note),
      onFault: (problem) => this.banner(t('not_loaded', { detail: problem.message })),
      verdicts: VERDICTS, reasons: REASONS,
    });
    parts.modes.forEach((button) => button.addEventListener('click', () => this.act(button.dataset.mode)));
    parts.bands.addEventListener('change', () => { this.current.shown.bands = parts.bands.value; this.redraw(); });
    parts.layers(this.map);
    document.addEventListener('keydown', (event) => this.key(event));
    for (const kind of ['pointerdown', 'keydown', 'wheel']) document.addEventListener(kind, () => this.active(), { passive: true });
    setInterval(() => this.tick(), 1000);
  }

  async start() {
    await Promise.all([this.queue.start(), this.advance()]);
    this.counts();
  }

  async counts() {
    const counts = await get('/api/queue/counts').catch(() => null);
    if (counts) fill(this.parts.progress, h('b', { text: String(counts.mine_today) }), ` ${t('today')} · `, h('b', { text: counts.waiting >= 10000 ? '10 000+' : String(counts.waiting) }), ` ${t('waiting')}`);
  }

  // ---- which patch -------------------------------------------------------------------------------

  async fetchNext(without) {
    if (this.auditing) {
      const id = this.auditing.find((one) => !without.includes(one));
      return id ? { patch: await get(address(id)), expires: null } : null;
    }
    if (!this.mayDecide) {
      const page = await get('/api/queue?limit=1');
      return page.rows.length ? { patch: await get(address(page.rows[0].patch_id)), expires: null } : null;
    }
    const { newer_than_days, ...rest } = this.queue.filter;
    const found = await post('/api/next', { filter: newer_than_days ? { ...rest, newer_than_days } : rest, without });
    return found.patch ? { patch: await get(address(found.patch.patch_id)), expires: Date.parse(found.expires_at) } : null;
  }

  /** Shows the next patch: the one that was fetched ahead, if there is one. */
  async advance() {
    const left = this.current?.patch.patch_id;
    let next = this.next;
    this.next = null;
    try {
      if (next instanceof Promise) next = await next;
      // what was fetched ahead is kept for as long as anything else: not shown with most of its time gone
      const gone = next?.expires && next.expires - Date.now() < this.session.lease_seconds * 500;
      if (!next || gone) next = await this.fetchNext(this.without(left));
    } catch (problem) {
      this.banner(t('failed', { detail: problem.message }));
      return;
    }
    if (!next) { this.empty(); return; }
    this.show(next);
    if (this.mayDecide || this.auditing) this.fetchAhead();
  }

  /** Patches that are not to be handed out: at most as many as the server reads. */
  without(id) {
    return [id, ...this.sent.slice(-24), ...this.skipped.slice(-24)].filter(Boolean);
  }

  fetchAhead() {
    this.next = this.fetchNext(this.without(this.current.patch.patch_id)).then((next) => {
      if (next) this.map.prefetch(next.patch, this.shownOf(next.patch));
      return next;
    }).catch(() => null);
  }

  shownOf(patch) {
    const kept = this.current?.shown.bands;
    return { pre: patch.pre.pass_id, post: patch.post.pass_id, bands: patch.bands.includes(kept) ? kept : patch.bands[0] };
  }

  async choose(id) {
    this.banner(null);
    try {
      const patch = await get(address(id));
      let expires = null;
      if (this.mayDecide && patch.review.state !== 'decided') {
        expires = await post(`${address(id)}/lease`).then((lease) => Date.parse(lease.expires_at)).catch(() => null);
      }
      this.show({ patch, expires });
    } catch (problem) {
      this.banner(t('failed', { detail: problem.message }));
    }
  }

  show({ patch, expires }) {
    const kept = draftOf(patch.patch_id);
    const shown = this.shownOf(patch);
    this.current = { patch, expires, shown, draft: kept ? { ...EMPTY(), ...kept, kept: true } : EMPTY(), since: performance.now() };
    this.sent = this.sent.filter((id) => id !== patch.patch_id);
    this.parts.stage.classList.remove('nothing');
    this.map.show(patch, shown, () => this.parts.stage.classList.add('no-imagery'));
    this.parts.stage.classList.toggle('no-imagery', !shown.bands);
    if (this.current.draft.corrected?.geometry) this.map.setOutline(this.current.draft.corrected.geometry);
    fill(this.parts.bands, patch.bands.map((bands) => h('option', { value: bands, text: t(bands), selected: bands === shown.bands })));
    this.strip();
    this.refresh();
    this.queue.mark(patch.patch_id);
    this.tick();
    announce(`${t(patch.object_class)} ${patch.patch_id}`);
    const id = patch.patch_id;
    get(`${address(id)}/layers`).then((layers) => { if (this.current?.patch.patch_id === id) this.map.setLayers(layers); }).catch(() => {});
  }

  refresh() {
    const { patch, draft } = this.current;
    this.panel.show(patch, draft, this.mayDecide || Boolean(this.auditing));
  }

  empty() {
    this.current = null;
    this.auditing = null;
    this.parts.stage.classList.add('nothing');
    this.panel.empty(t('nothing_more'));
    this.parts.lease.hidden = true;
    announce(t('nothing_more'));
  }

  /** Passes of the place; which two are compared. */
  strip() {
    const { patch, shown } = this.current;
    fill(this.parts.strip, patch.passes.map((pass) => {
      const role = pass.pass_id === shown.pre ? 'before' : pass.pass_id === shown.post ? 'after' : '';
      return h('button', { type: 'button', class: `pass ${role}`, 'aria-pressed': String(Boolean(role)), title: `${pass.name} · ${pass.label ?? ''}`, onclick: (event) => { shown[event.shiftKey ? 'post' : 'pre'] = pass.pass_id; this.redraw(); this.strip(); } }, h('span', { class: 'pass-date', text: (pass.label ?? day(pass.acquired_at)).slice(0, 10) }), h('small', { text: role ? t(role) : pass.sensor }));
    }));
  }

  redraw() {
    this.parts.stage.classList.remove('no-imagery');
    this.map.dates(this.current.shown, () => this.parts.stage.classList.add('no-imagery'));
  }

  step(by) {
    const { patch, shown } = this.current;
    const at = patch.passes.findIndex((pass) => pass.pass_id === shown.pre) + by;
    if (patch.passes[at] && patch.passes[at].pass_id !== shown.post) { shown.pre = patch.passes[at].pass_id; this.redraw(); this.strip(); }
  }

  // ---- deciding ----------------------------------------------------------------------------------

  draft(change) {
    if (!this.current) return;
    Object.assign(this.current.draft, change);
    keepDraft(this.current.patch.patch_id, { note: this.current.draft.note, corrected: this.current.draft.corrected });
    if (change.corrected) this.refresh();
  }

  resetOutline() {
    const { geometry, split_off: part, ...corrected } = this.current.draft.corrected;
    this.draft({ corrected });
    this.map.setOutline(this.current.patch.corrected?.geometry ?? null);
  }

  verdict(verdict) {
    if (!this.current || !(this.mayDecide || this.auditing)) return;
    if (this.map.interaction) this.finishTool(true);
    if (verdict === 'not_a_problem') { this.panel.askReason(true); return; }
    this.panel.askReason(false);
    if (verdict === 'duplicate') {
      this.map.layers.patches.setVisible(true);
      this.panel.askWord(t('duplicate'), t('duplicate_hint'), (id) => this.decide({ verdict, duplicate_of: id }));
      return;
    }
    this.decide({ verdict });
  }

  reject(reason) {
    if (reason === 'other' && !this.current.draft.note.trim()) {
      this.panel.askReason(false);
      this.panel.askWord(t('other'), t('note_needed'), (note) => { this.draft({ note }); this.decide({ verdict: 'not_a_problem', reason }); });
      return;
    }
    this.decide({ verdict: 'not_a_problem', reason });
  }

  /** Sends what was decided, and shows the next patch without waiting for the answer. */
  decide(said) {
    const { patch, draft, since } = this.current;
    const { split_off: part, ...rest } = draft.corrected ?? {};
    const corrected = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
    const body = { decision_id: newId(), note: draft.note ?? '', corrected, on_version: patch.review.version, seconds: Math.min(86400, (performance.now() - since) / 1000), ...(part ? { split_off: part } : {}), ...said };
    keepDraft(patch.patch_id, { note: draft.note, corrected: draft.corrected, said });
    const entry = { ids: [patch.patch_id] };
    this.undoable.push(entry);
    this.sent.push(patch.patch_id);
    const path = `${address(patch.patch_id)}/${this.auditing ? 'audit' : 'decisions'}`;
    if (this.auditing) this.auditing = this.auditing.filter((id) => id !== patch.patch_id);
    this.queue.remove(patch.patch_id);
    this.toast(t('sent', { verdict: t(said.verdict) }));
    const sending = postSurely(path, body).then(() => {
      dropDraft(patch.patch_id);
      this.counts();
      if (part) this.queue.load();
    }).catch((problem) => {
      this.undoable = this.undoable.filter((other) => other !== entry);
      this.sent = this.sent.filter((id) => id !== patch.patch_id);
      this.conflict(problem, patch.patch_id);
    }).finally(() => this.pending.delete(sending));
    this.pending.add(sending);
    this.advance();
  }

  /** What the server did not take: the draft is kept, and a way back is offered. */
  conflict(problem, id) {
    this.parts.toast.hidden = true;
    const known = { lease_expired: t('lease_expired'), leased: t('leased'), stale: t('stale', { verdict: t(problem.current?.verdict ?? 'unknown') }) };
    const text = problem.status === 0 ? t('offline') : known[problem.code] ?? t('failed', { detail: problem.message });
    this.banner(`${id} · ${text}`, h('button', { type: 'button', class: 'small', text: t('take_up'), onclick: () => this.choose(id) }));
  }

  /** Takes back what was decided last; of many, each that can be, and names those that can't. */
  async undo() {
    await Promise.allSettled(this.pending);
    const entry = this.undoable.pop();
    let id = null;
    const kept = [];
    if (entry) {
      for (const one of entry.ids) {
        try {
          await postSurely(`${address(one)}/undo`, { decision_id: newId() });
          id = one;
        } catch (problem) {
          kept.push(`${one} (${problem.message})`);
        }
      }
    } else {
      try {
        id = (await postSurely('/api/undo', { decision_id: newId() })).patch_id;
      } catch (problem) {
        this.toast(problem.status === 404 ? t('nothing_to_undo') : problem.message);
        return;
      }
    }
    this.queue.load();
    this.counts();
    if (id) {
      this.toast(t('undone'));
      await this.choose(id);
    }
    if (kept.length) this.banner(t('not_undone', { n: kept.length, names: named(kept) }));
  }

  async skip() {
    const id = this.current?.patch.patch_id;
    if (!id) return;
    this.skipped.push(id);
    if (this.auditing) this.auditing = this.auditing.filter((one) => one !== id);
    else if (this.mayDecide) fetch(`${address(id)}/lease`, { method: 'DELETE', headers: { 'x-csrf-token': this.session.csrf } }).catch(() => {});
    await this.advance();
  }

  /** One verdict on the rows as they were looked at; what was left out is told by name, and stays selected by nobody. */
  async bulk(rows, verdict, reason, note) {
    const ids = rows.map((row) => row.patch_id);
    try {
      const done = await postSurely('/api/bulk', {
        batch_id: newId(), verdict, note, ...(reason ? { reason } : {}),
        patches: rows.map((row) => ({ patch_id: row.patch_id, on_version: row.version })),
      });
      if (done.patch_ids.length) this.undoable.push({ ids: done.patch_ids });
      this.toast(t('bulk_done', { n: done.decided }));
      this.leftOut(done.left_out);
      this.queue.clearSelection();
    } catch (problem) {
      // the selection stays: nothing of it was decided
      this.banner(t('failed', { detail: problem.message }));
    }
    this.queue.load();
    this.counts();
    this.next = null;
    if (this.current && ids.includes(this.current.patch.patch_id)) this.advance();
  }

  /** Names what a verdict on many did not reach, and why. */
  leftOut(leftOut) {
    if (!leftOut.length) return;
    const names = leftOut.map((one) => `${one.patch_id} (${t(`left_${one.why}`, { verdict: t(one.verdict ?? 'unknown') })})`);
    this.banner(t('left_out', { n: leftOut.length, names: named(names) }));
  }

  async badPass() {
    if (!this.current || !this.session.rights.includes('DecideInBulk')) return;
    const pass = this.current.patch.post.pass_id;
    try {
      const done = await postSurely(`/api/passes/${pass}/bad-imagery`, { batch_id: newId(), note: this.current.draft.note ?? '' });
      this.undoable.push({ ids: done.patch_ids });
      this.toast(t('bad_pass_done', { n: done.decided }));
      this.leftOut(done.left_out);
    } catch (problem) {
      this.banner(t('failed', { detail: problem.message }));
    }
    this.next = null;
    this.queue.load();
    this.counts();
    this.advance();
  }

  startAudit(ids) {
    this.auditing = ids;
    // what is shown still is none of the sample: no key decides on it
    this.current = null;
    this.next = null;
    this.queue.showIds(ids);
    this.toast(t('auditing', { n: ids.length }));
    this.advance();
  }

  // ---- the lease ---------------------------------------------------------------------------------

  /** Somebody is at work: the lease is renewed before half of it is over. */
  active() {
    const current = this.current;
    if (!current?.expires || this.renewing) return;
    const left = (current.expires - Date.now()) / 1000;
    if (left > this.session.lease_seconds / 2 || left <= 0) return;
    this.renewing = true;
    post(`${address(current.patch.patch_id)}/lease`).then((lease) => { current.expires = Date.parse(lease.expires_at); }).catch(() => {}).finally(() => { this.renewing = false; });
  }

  tick() {
    const left = this.current?.expires ? Math.max(0, Math.round((this.current.expires - Date.now()) / 1000)) : null;
    this.parts.lease.hidden = left === null;
    if (left === null) return;
    this.parts.lease.classList.toggle('short', left < 30);
    fill(this.parts.lease, h('span', { class: 'lease-word', text: `${t('lease')} ` }), `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`);
  }

  // ---- keys and small words ----------------------------------------------------------------------

  key(event) {
    if (document.querySelector('dialog[open]')) return;
    if (isTyping(event.target)) {
      if (event.key === 'Escape') event.target.blur();
      return;
    }
    const name = pressed(event);
    if (name === null) return;
    if (!this.panel.reasons.hidden && /^[1-8]$/.test(name)) {
      event.preventDefault();
      this.reject(REASONS[Number(name) - 1]);
      return;
    }
    const action = actionOf(name, this.toolKind);
    const onControl = event.target instanceof Element && event.target.closest('button, a, input, [role="slider"]');
    if (action === null || (action === 'confirm' && onControl)) return;
    if (['slide_left', 'slide_right'].includes(action) && event.target.type === 'range') return;
    event.preventDefault();
    this.act(action);
  }

  act(action) {
    if (MODES.includes(action)) { this.setMode(action); return; }
    if (VERDICTS.includes(action)) { this.verdict(action); return; }
    if (action.startsWith('corner_')) { this.map.corners.act(action); return; }
    const needsPatch = ['slide_left', 'slide_right', 'next_bands', 'earlier_pass', 'later_pass', 'home', 'edit', 'split', 'redraw', 'correct', 'note', 'field_link'];
    if (needsPatch.includes(action) && !this.current) return;
    ({
      undo: () => this.undo(),
      skip: () => this.skip(),
      bad_pass: () => this.badPass(),
      slide_left: () => this.map.comparison.slide(-0.05),
      slide_right: () => this.map.comparison.slide(0.05),
      next_bands: () => this.nextBands(),
      earlier_pass: () => this.step(-1),
      later_pass: () => this.step(1),
      zoom_in: () => this.map.zoom(1),
      zoom_out: () => this.map.zoom(-1),
      home: () => this.map.home(),
      outline: () => this.map.toggleOutline(),
      layers: () => this.parts.toggleLayers(),
      measure: () => this.tool('measuring', () => this.map.startMeasure()),
      edit: () => this.mayDecide && this.tool('editing', () => this.map.edit(), 'edit'),
      split: () => this.mayDecide && this.tool('splitting', () => this.map.split((done) => this.toolDone(done ? t('outline_corrected') : t('split_failed')))),
      redraw: () => this.mayDecide && this.tool('drawing', () => this.map.redraw(() => this.toolDone(t('outline_corrected')))),
      correct: () => this.panel.firstChoice?.querySelector('select').focus(),
      note: () => this.panel.note.focus(),
      queue: () => this.parts.toggleQueue(),
      field_link: () => this.mayDecide && dialogs.fieldLink(this.current.patch.patch_id).catch((problem) => this.toast(problem.message)),
      figures: () => dialogs.figures(this.session),
      help: () => dialogs.help(),
      confirm: () => this.finishTool(true),
      cancel: () => { this.finishTool(false); this.panel.askReason(false); this.panel.extra.hidden = true; this.banner(null); },
    })[action]?.();
  }

  setMode(mode) {
    this.map.comparison.setMode(mode);
    for (const button of this.parts.modes) button.setAttribute('aria-pressed', String(button.dataset.mode === mode));
  }

  nextBands() {
    const { patch, shown } = this.current;
    shown.bands = patch.bands[(patch.bands.indexOf(shown.bands) + 1) % patch.bands.length];
    this.parts.bands.value = shown.bands;
    this.redraw();
  }

  tool(hint, begin, kind = hint) {
    const again = this.toolKind === kind;
    this.finishTool(false);
    if (again) return;
    this.toolKind = kind;
    begin();
    fill(this.parts.hint, t(hint));
    this.parts.hint.hidden = false;
  }

  toolDone(text) {
    this.toolKind = null;
    this.parts.hint.hidden = true;
    if (text) this.toast(text);
  }

  finishTool(keep) {
    if (this.toolKind === 'edit') { this.map.endEdit(keep); this.toolDone(keep ? t('outline_corrected') : null); } else if (this.toolKind) { this.map.cancelTool(); this.toolDone(null); }
  }

  toast(text) {
    fill(this.parts.toast, text);
    this.parts.toast.hidden = false;
    announce(text);
    clearTimeout(this.toasting);
    this.toasting = setTimeout(() => { this.parts.toast.hidden = true; }, 4000);
  }

  banner(text, ...actions) {
    this.parts.banner.hidden = !text;
    fill(this.parts.banner, text ? [h('span', { text }), ...actions, h('button', { type: 'button', class: 'quiet', text: t('close'), onclick: () => this.banner(null) })] : []);
  }

  copy(text) {
    navigator.clipboard?.writeText(text).then(() => this.toast(t('copied'))).catch(() => this.toast(text));
  }
}

const host = document.getElementById('app');
const session = await enter(host);
const parts = layout(host, session, {
  open: { help: () => dialogs.help(), figures: () => dialogs.figures(session), accounts: () => dialogs.accounts(), audit: () => dialogs.audit((ids) => desk.startAudit(ids)) },
});
const desk = new Desk(session, parts);
await desk.start();
document.body.dataset.ready = 'true';
