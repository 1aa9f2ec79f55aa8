// What opens over the page: help, figures, accounts, the audit sample, a link for a field check.
import { ask, get, post, query } from './api.js';
import { fill, h, s } from './dom.js';
import { SHORTCUTS, keyLabel } from './keys.js';
import { day, percent, t } from './texts.js';

/** Opens a dialog; Escape and the button close it, and the focus goes back. */
export function open(title, ...children) {
  const before = document.activeElement;
  const dialog = h('dialog', { 'aria-label': title, class: 'sheet' },
    h('header', {}, h('h2', { text: title }), h('button', { type: 'button', class: 'quiet', text: t('close'), onclick: () => dialog.close() })), h('div', { class: 'sheet-body', tabindex: '0', role: 'region', 'aria-label': title }, ...children));
  dialog.addEventListener('close', () => { dialog.remove(); before?.focus?.(); });
  dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

export function help() {
  const groups = ['verdict', 'compare', 'map', 'correct', 'corners', 'page'];
  const item = (key, text) => h('li', {}, h('kbd', { text: key }), h('span', { text }));
  return open(t('help'),
    h('div', { class: 'help' }, groups.map((group) => h('section', {}, h('h3', { text: t(`help_${group}`) }), h('ul', {},
      SHORTCUTS.filter((shortcut) => shortcut.group === group).map(({ action }) => item(keyLabel(action), t(`do_${action}`))),
      group === 'verdict' ? item('1 – 8', t('keys_1_8')) : null)))),
    h('p', { class: 'quiet-text', text: t('help_typing') }));
}

function interval({ share, low, high }) {
  const picture = s('svg', { viewBox: '0 0 100 12', class: 'interval', preserveAspectRatio: 'none', 'aria-hidden': 'true' });
  picture.append(s('line', { x1: 0, y1: 6, x2: 100, y2: 6, class: 'axis' }), s('rect', { x: 100 * low, y: 2, width: Math.max(0.6, 100 * (high - low)), height: 8, class: 'band' }), s('rect', { x: 100 * share - 0.6, y: 0, width: 1.2, height: 12, class: 'mark' }));
  return picture;
}

export function figures(session) {
  const host = h('div');
  const groups = ['issue_class', 'reach', 'county', 'month', 'model', 'reviewer'];
  const select = h('select', { onchange: () => show() }, groups.map((by) => h('option', { value: by, text: t(by) })));
  const NUMBERS = ['decided', 'share', 'median', 'kappa'];
  const head = (...names) => h('tr', {}, names.map((name) => h('th', { scope: 'col', class: NUMBERS.includes(name) ? 'number' : '', text: t(name) })));
  const fault = (where) => (problem) => fill(where, h('p', { class: 'fault', role: 'alert', text: t('not_loaded', { detail: problem.message }) }));
  const load = async () => {
    const { groups: told } = await get(`/api/figures/yield${query({ by: select.value })}`);
    const rows = told.map((group) => h('tr', {}, h('th', { scope: 'row', text: group.group ? t(group.group) : t('unknown') }), h('td', { class: 'number', text: `${group.confirmed.hits} / ${group.confirmed.of}` }), h('td', { class: 'number', text: percent(group.confirmed.share) }), h('td', {}, interval(group.confirmed), h('span', { class: 'unseen', text: `${percent(group.confirmed.low)} – ${percent(group.confirmed.high)}` })), h('td', { class: 'number', text: group.median_seconds === null ? '–' : group.median_seconds.toFixed(0) })));
    fill(host, rows.length ? h('table', {}, h('caption', { class: 'unseen', text: t('yield') }), h('thead', {}, head(select.value, 'decided', 'share', 'interval', 'median')), h('tbody', {}, rows)) : h('p', { class: 'quiet-text', text: t('none_yet') }));
  };
  const show = () => load().catch(fault(host));
  const agreement = h('div');
  if (session.rights.includes('Audit')) {
    get('/api/figures/agreement').then(({ reviewers }) => fill(agreement, h('h3', { text: t('agreement') }), reviewers.length ? h('table', {}, h('thead', {}, head('reviewer', 'share', 'interval', 'kappa')), h('tbody', {}, reviewers.map((one) => h('tr', {}, h('th', { scope: 'row', text: one.reviewer }), h('td', { class: 'number', text: `${one.same.hits} / ${one.same.of}` }), h('td', {}, interval(one.same)), h('td', { class: 'number', text: one.kappa === null ? '–' : one.kappa.toFixed(2) }))))) : h('p', { class: 'quiet-text', text: t('none_yet') }))).catch(fault(agreement));
  }
  show();
  return open(t('figures'), h('label', { class: 'field inline' }, h('span', { text: `${t('yield')} · ${t('by')}` }), select), host, agreement);
}

export function audit(onSample) {
  const share = h('input', { type: 'number', min: '1', max: '100', value: '10', name: 'percent' });
  const only = h('input', { type: 'checkbox' });
  const told = h('p', { class: 'fault', role: 'alert' });
  const dialog = open(t('audit_sample'), h('form', {
    class: 'audit-form',
    onsubmit: async (event) => {
      event.preventDefault();
      try {
        const sample = await get(`/api/audit/sample${query({ percent: share.value, rejected_only: only.checked, seed: new Date().toISOString().slice(0, 10) })}`);
        dialog.close();
        onSample(sample.patch_ids);
      } catch (problem) { told.textContent = t('not_loaded', { detail: problem.message }); }
    },
  }, h('label', { class: 'field' }, h('span', { text: t('percent') }), share), h('label', { class: 'check' }, only, t('rejected_only')), told, h('button', { class: 'primary', text: t('draw_sample') })));
  return dialog;
}

export async function fieldLink(patchId) {
  const made = await post(`/api/patches/${encodeURIComponent(patchId)}/field-link`);
  const code = h('img', { class: 'qr', alt: t('field_link'), src: `data:image/svg+xml;base64,${btoa(made.qr)}`, width: '240', height: '240' });
  return open(t('field_link'), code, h('p', {}, h('a', { class: 'long-link', href: made.link, text: made.link })), h('p', { class: 'quiet-text', text: t('link_until', { date: day(made.expires_at) }) }));
}

export function accounts() {
  const host = h('div');
  const told = h('p', { class: 'told', role: 'status' });
  const fault = (problem) => { told.textContent = problem.message; };
  const show = async () => {
    const { accounts: all, provider } = await get('/api/accounts');
    const change = (one, changed) => ask('PATCH', `/api/accounts/${encodeURIComponent(one.account)}`, changed).then(show).catch(fault);
    fill(host, h('table', {}, h('thead', {}, h('tr', {}, ['account', 'role', 'scope_words', 'sessions', 'actions'].map((name) => h('th', { scope: 'col', class: name === 'sessions' ? 'number' : '', text: t(name) })))), h('tbody', {}, all.map((one) => h('tr', { class: one.disabled ? 'disabled' : '' }, h('th', { scope: 'row', text: one.account }), h('td', { text: t(one.role) }), h('td', { text: one.scope }), h('td', { class: 'number', text: String(one.sessions.length) }), h('td', {},
      h('button', { type: 'button', class: 'link', text: t('new_password'), onclick: () => post(`/api/accounts/${encodeURIComponent(one.account)}/reset`).then((made) => { told.textContent = `${made.account} · ${t('new_password_once', { password: made.password })}`; }).catch(fault) }), ' ',
      h('button', { type: 'button', class: 'link', text: t(one.disabled ? 'enable' : 'disable'), onclick: () => change(one, { disabled: !one.disabled }) }),
      provider && [' ', h('button', { type: 'button', class: 'link', title: one.linked ? `${provider}: ${t(one.bound ? 'linked' : 'expected')}` : provider, text: t(one.linked ? 'unlink' : 'link'), onclick: () => change(one, { linked: !one.linked }) })]))))));
  };
  const roles = ['reviewer', 'viewer', 'field', 'supervisor', 'administrator'];
  const form = h('form', {
    class: 'add-account',
    onsubmit: (event) => {
      event.preventDefault();
      post('/api/accounts', { account: form.account.value.trim(), role: form.role.value, scope: form.scope.value.trim() }).then((made) => { told.textContent = `${made.account} · ${t('new_password_once', { password: made.password })}`; form.reset(); return show(); }).catch(fault);
    },
  }, h('label', { class: 'field' }, h('span', { text: t('account') }), h('input', { name: 'account', required: true })), h('label', { class: 'field' }, h('span', { text: t('role') }), h('select', { name: 'role' }, roles.map((role) => h('option', { value: role, text: t(role) })))), h('label', { class: 'field' }, h('span', { text: t('scope_words') }), h('input', { name: 'scope', value: 'all', placeholder: 'unit:450702, reach:R01' })), h('button', { class: 'primary', text: t('add') }));
  show().catch(fault);
  return open(t('accounts'), host, told, form);
}
