// The parts of the desk.
import { ask } from './api.js';
import { MODES } from './compare.js';
import { fill, h } from './dom.js';
import { keyLabel } from './keys.js';
import { layerNames } from './map.js';
import { otherLanguage, setLanguage, t } from './texts.js';

export function layout(host, session, { open }) {
  const parts = {
    progress: h('p', { class: 'progress' }),
    lease: h('p', { class: 'lease', hidden: true }),
    queue: h('aside', { class: 'queue', 'aria-label': t('queue') }),
    panel: h('aside', { class: 'panel', 'aria-label': t('title') }),
    map: h('div', { class: 'map', role: 'application', 'aria-label': t('before'), tabindex: '-1' }),
    second: h('div', { class: 'map second', role: 'application', 'aria-label': t('after'), hidden: true }),
    strip: h('div', { class: 'strip', role: 'group', 'aria-label': t('strip') }),
    coordinates: h('p', { class: 'cursor-coordinates', 'aria-hidden': 'true' }),
    hint: h('p', { class: 'hint', role: 'status', hidden: true }),
    toast: h('p', { class: 'toast', hidden: true }),
    banner: h('div', { class: 'banner', role: 'alert', hidden: true }),
    bands: h('select', { 'aria-label': t('bands'), title: `${t('bands')} (${keyLabel('next_bands')})` }),
    modes: MODES.map((mode) => h('button', { type: 'button', 'data-mode': mode, 'aria-pressed': String(mode === 'swipe'), title: keyLabel(mode) }, t(mode), h('kbd', { text: keyLabel(mode) }))),
  };
  const layerBox = h('div', { class: 'layer-box', hidden: true, role: 'group', 'aria-label': t('layers') });
  parts.layers = (map) => fill(layerBox, layerNames().map(([name, label]) => {
    const box = h('input', { type: 'checkbox', checked: map.layers[name].getVisible(), onchange: () => map.layers[name].setVisible(box.checked) });
    map.layers[name].on('change:visible', () => { box.checked = map.layers[name].getVisible(); });
    return h('label', { class: 'check' }, box, h('span', { class: `swatch ${name}`, 'aria-hidden': 'true' }), label);
  }), h('p', { class: 'check' }, h('span', { class: 'swatch unobserved', 'aria-hidden': 'true' }), t('unobserved')));
  parts.toggleLayers = () => { layerBox.hidden = !layerBox.hidden; layersButton.setAttribute('aria-expanded', String(!layerBox.hidden)); };
  parts.toggleQueue = () => { parts.frame.classList.toggle('queue-open'); queueButton.setAttribute('aria-expanded', String(parts.frame.classList.contains('queue-open'))); window.dispatchEvent(new Event('resize')); };
  const button = (label, action, more = {}) => h('button', { type: 'button', class: 'quiet', onclick: action, ...more }, label);
  const layersButton = button([t('layers'), h('kbd', { text: keyLabel('layers') })], () => parts.toggleLayers(), { 'aria-expanded': 'false', title: keyLabel('layers') });
  const queueButton = button([t('queue'), h('kbd', { text: keyLabel('queue') })], () => parts.toggleQueue(), { 'aria-expanded': 'true' });
  const out = (path) => ask('DELETE', path).catch(() => {}).finally(() => location.reload());
  const may = (right) => session.rights.includes(right);
  parts.stage = h('div', { class: 'stage' }, parts.map, parts.second, parts.banner, parts.hint, parts.toast,
    h('p', { class: 'no-imagery-word', text: t('imagery_missing') }));
  const roomy = matchMedia('(min-width: 1181px)').matches;
  queueButton.setAttribute('aria-expanded', String(roomy));
  parts.frame = h('div', { class: roomy ? 'frame queue-open' : 'frame' },
    h('header', { class: 'top' },
      h('div', { class: 'brand' }, h('img', { src: '/assets/icon.svg', alt: '', width: '26', height: '26' }), h('h1', {}, 'Shorewatch ', h('small', { text: t('title') }))),
      queueButton, parts.progress, parts.lease,
      h('nav', { 'aria-label': t('help_page') },
        may('Audit') ? button(t('audit'), open.audit) : null,
        may('KeepAccounts') ? button(t('accounts'), open.accounts) : null,
        button([t('figures'), h('kbd', { text: keyLabel('figures') })], open.figures),
        button([t('help'), h('kbd', { text: '?' })], open.help),
        button(t('language'), () => { setLanguage(otherLanguage()); location.reload(); }, { lang: otherLanguage() === 'zh' ? 'zh-CN' : 'en' }),
        h('details', { class: 'account' }, h('summary', { text: session.account }), h('div', { class: 'account-box' }, h('p', { text: `${t(session.role)} · ${session.scope}` }), button(t('logout'), () => out('/api/session')), button(t('logout_all'), () => out('/api/sessions')))))),
    parts.queue,
    h('main', { class: 'centre' },
      h('div', { class: 'compare-bar', role: 'group', 'aria-label': t('help_compare') }, h('div', { class: 'modes' }, parts.modes), parts.bands, layersButton, layerBox),
      parts.stage,
      h('footer', { class: 'under' }, parts.strip, parts.coordinates)),
    parts.panel);
  fill(host, parts.frame);
  return parts;
}
