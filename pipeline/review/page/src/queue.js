// The left-hand pane: filters, and the queue page by page.
import { get, query } from './api.js';
import { fill, h } from './dom.js';
import { day, squareMetres, t } from './texts.js';

const COLUMNS = { class: 'issue_class', severity: 'severity', reach: 'reach_id', county: 'county', sensor: 'sensor' };
const STATES = ['', 'open', 'second_opinion', 'third_opinion', 'disputed', 'decided'];

export class QueuePane {
  constructor(host, { onFilter, onChoose, mayBulk, onBulk, onFault, verdicts, reasons }) {
    this.filter = {};
    this.selected = new Map();
    this.handlers = { onFilter, onChoose, mayBulk, onBulk, onFault, verdicts, reasons };
    this.list = h('ol', { class: 'rows' });
    this.more = h('button', { type: 'button', class: 'quiet', text: t('more'), hidden: true, onclick: () => this.load(this.after) });
    this.filters = h('form', { class: 'filters', 'aria-label': t('filters'), onsubmit: (event) => event.preventDefault() });
    this.bulk = h('div', { class: 'bulk', hidden: true, role: 'group', 'aria-label': t('help_verdict') });
    fill(host, h('h2', { class: 'unseen', text: t('queue') }), this.filters, this.bulk, h('div', { class: 'scroller', tabindex: '0', role: 'region', 'aria-label': t('queue') }, this.list, this.more));
  }

  async start() {
    const values = await get('/api/queue/filters').catch((problem) => { this.handlers.onFault(problem); return {}; });
    const choice = (name, options, texts = t) => {
      const select = h('select', { name, onchange: () => this.change(name, select.value) }, h('option', { value: '', text: t('all') }), options.map(({ value, count }) => h('option', { value, text: count === undefined ? texts(value) : `${texts(value)} (${count === 1000 ? '1000+' : count})` })));
      return h('label', { class: 'field' }, h('span', { text: t(name) }), select);
    };
    const plain = (value) => value;
    const given = Object.entries(COLUMNS).filter(([, column]) => (values[column] ?? []).length > 1 || column === 'issue_class').map(([name, column]) => choice(name, values[column] ?? [], ['class', 'severity'].includes(name) ? t : plain));
    const ages = [30, 90, 365].map((n) => ({ value: String(n) }));
    const mine = h('input', { type: 'checkbox', onchange: () => this.change('mine', mine.checked) });
    fill(this.filters, given, choice('state', STATES.filter(Boolean).map((value) => ({ value }))), choice('age', ages, (n) => t('newer_than', { n })), h('label', { class: 'check' }, mine, t('mine')));
    await this.load();
  }

  change(name, value) {
    const key = name === 'age' ? 'newer_than_days' : name;
    if (value === '' || value === false) delete this.filter[key];
    else this.filter[key] = key === 'newer_than_days' ? Number(value) : value;
    this.handlers.onFilter();
    this.load();
  }

  /** The next page, or the first one. */
  async load(after) {
    const page = await get(`/api/queue${query({ ...this.filter, limit: 60, after })}`).catch((problem) => { this.handlers.onFault(problem); return null; });
    if (!page) return;
    this.after = page.after;
    this.more.hidden = !page.after;
    const rows = page.rows.map((row) => this.row(row));
    if (after) this.list.append(...rows);
    else fill(this.list, rows.length ? rows : h('li', { class: 'empty', text: t('nothing') }));
    this.mark(this.current);
  }

  /** Other patches instead of the queue: an audit sample. */
  showIds(ids) {
    this.more.hidden = true;
    fill(this.list, ids.map((id) => h('li', { 'data-id': id }, h('button', { type: 'button', class: 'row', onclick: () => this.handlers.onChoose(id) }, h('span', { class: 'dot', 'aria-hidden': 'true' }), h('span', { class: 'row-title', text: id })))));
  }

  row(row) {
    const box = this.handlers.mayBulk ? h('input', { type: 'checkbox', 'aria-label': t('select', { id: row.patch_id }), onchange: () => this.select(row, box.checked) }) : null;
    return h('li', { 'data-id': row.patch_id }, box,
      h('button', { type: 'button', class: 'row', onclick: () => this.handlers.onChoose(row.patch_id) },
        h('span', { class: `dot class-${row.issue_class}`, 'aria-hidden': 'true' }),
        h('span', { class: 'row-title', text: t(row.object_class) }),
        h('span', { class: 'row-area', text: squareMetres(row.area_m2) }),
        h('span', { class: 'row-more', text: `${t(row.issue_class)} · ${row.severity ? `${t(row.severity)} · ` : ''}${day(row.post_date)}` }),
        row.shown_again ? h('span', { class: 'row-verdict', text: t('shown_again') }) : null,
        row.verdict ? h('span', { class: 'row-verdict', text: t(row.verdict) }) : null));
  }

  select(row, chosen) {
    if (chosen) this.selected.set(row.patch_id, row);
    else this.selected.delete(row.patch_id);
    this.bulk.hidden = this.selected.size === 0;
    const some = this.handlers.verdicts.filter((verdict) => verdict !== 'duplicate');
    const select = h('select', { 'aria-label': t('help_verdict') }, some.map((verdict) => h('option', { value: verdict, text: t(verdict) })));
    const reason = h('select', { class: 'bulk-reason', 'aria-label': t('reason'), hidden: true }, h('option', { value: '', text: t('reason_choose') }), this.handlers.reasons.map((one) => h('option', { value: one, text: t(one) })));
    const note = h('input', { type: 'text', class: 'bulk-note', 'aria-label': t('other'), placeholder: t('note_needed'), maxlength: '400', hidden: true });
    const fit = () => {
      reason.hidden = select.value !== 'not_a_problem';
      note.hidden = reason.hidden || reason.value !== 'other';
    };
    for (const one of [select, reason]) one.addEventListener('change', fit);
    const send = () => {
      const rejects = select.value === 'not_a_problem';
      if (rejects && !reason.value) { reason.focus(); return; }
      if (!note.hidden && !note.value.trim()) { note.focus(); return; }
      this.handlers.onBulk([...this.selected.values()], select.value, rejects ? reason.value : null, note.hidden ? '' : note.value.trim());
    };
    note.addEventListener('keydown', (event) => { if (event.key === 'Enter') send(); });
    fill(this.bulk, h('span', { text: t('selected', { n: this.selected.size }) }), select, reason, note, h('button', { type: 'button', class: 'primary small', text: '⏎', 'aria-label': t('do_confirm'), onclick: send }));
  }

  clearSelection() {
    this.selected.clear();
    this.bulk.hidden = true;
    for (const box of this.list.querySelectorAll('input:checked')) box.checked = false;
  }

  /** Takes a patch off the list at once. */
  remove(id) {
    this.list.querySelector(`[data-id="${CSS.escape(id)}"]`)?.remove();
    if (this.list.childElementCount < 10 && this.after) this.load(this.after);
  }

  mark(id) {
    this.current = id;
    for (const item of this.list.children) {
      const is = item.dataset.id === id;
      item.classList.toggle('current', is);
      item.querySelector('.row')?.setAttribute('aria-current', String(is));
    }
  }
}
