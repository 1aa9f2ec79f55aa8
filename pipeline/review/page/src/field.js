// The page at the river: where the patch is, how to get there, what is found, photographs.
import { get, newId, post, postSurely, useBearer } from './api.js';
import { fill, h } from './dom.js';
import { REASONS } from './panel.js';
import { gcj02 } from './projections.js';
import { chooseLanguage, day, metres, otherLanguage, setLanguage, squareMetres, t } from './texts.js';

const OUTCOMES = ['problem', 'not_a_problem', 'under_watch', 'historical_harmless'];
const RADIUS_M = 6371008.8;

/** Distance in metres and bearing in degrees on the sphere: enough to walk there. */
function way([lon1, lat1], [lon2, lat2]) {
  const rad = (degrees) => (degrees * Math.PI) / 180;
  const [a, b, d] = [rad(lat1), rad(lat2), rad(lon2 - lon1)];
  const half = Math.sin((b - a) / 2) ** 2 + Math.cos(a) * Math.cos(b) * Math.sin(d / 2) ** 2;
  const bearing = Math.atan2(Math.sin(d) * Math.cos(b), Math.cos(a) * Math.sin(b) - Math.sin(a) * Math.cos(b) * Math.cos(d));
  return { distance: 2 * RADIUS_M * Math.asin(Math.sqrt(half)), bearing: (bearing * 180 / Math.PI + 360) % 360 };
}

chooseLanguage();
const host = document.getElementById('app');
useBearer(location.hash.slice(1));

async function start() {
  const { patch_id: id } = await get('/api/field-session');
  const address = `/api/patches/${encodeURIComponent(id)}`;
  const patch = await get(`${address}/field`);
  const [lon, lat] = patch.centre;
  const shifted = gcj02(patch.centre).map((value) => value.toFixed(6));
  const position = h('p', { class: 'quiet-text', role: 'status', text: t('no_position') });
  navigator.geolocation?.watchPosition(({ coords }) => {
    const { distance, bearing } = way([coords.longitude, coords.latitude], patch.centre);
    const arrow = h('span', { class: 'arrow', 'aria-hidden': 'true', text: '↑' });
    arrow.style.transform = `rotate(${bearing}deg)`;
    fill(position, arrow, ` ${t('distance')} ${metres(distance)} · ${bearing.toFixed(0)}° · ±${coords.accuracy.toFixed(0)} m`);
  }, () => {}, { enableHighAccuracy: true });

  const note = h('textarea', { rows: '3', 'aria-label': t('note'), placeholder: t('note_hint') });
  const reason = h('select', { 'aria-label': t('reason') }, REASONS.map((one) => h('option', { value: one, text: t(one) })));
  const told = h('p', { role: 'status', class: 'told' });
  const photos = h('p', { role: 'status', class: 'quiet-text', text: `${t('photos')}: ${patch.photos}` });
  let count = patch.photos;
  const add = h('input', { type: 'file', accept: 'image/jpeg,image/png', capture: 'environment', class: 'unseen', id: 'photo', onchange: async () => {
    for (const file of add.files) {
      const form = new FormData();
      form.append('photo', file);
      try {
        const added = await post(`${address}/photos`, form);
        count += 1;
        photos.textContent = `${t('photos')}: ${count} · ${t('photo_added', { when: added.taken_at ?? '–' })}${added.position ? ` · ${added.position.map((value) => value.toFixed(5)).join(', ')}` : ''}`;
      } catch (problem) { photos.textContent = problem.message; }
    }
    add.value = '';
  } });
  let version = patch.review.version;
  const decisionId = newId();
  const outcome = h('fieldset', { class: 'outcomes' }, h('legend', { text: t('outcome') }), OUTCOMES.map((verdict) => h('label', { class: 'outcome' }, h('input', { type: 'radio', name: 'outcome', value: verdict, required: true, onchange: () => { reason.hidden = verdict !== 'not_a_problem'; } }), t(verdict))));
  reason.hidden = true;
  const form = h('form', {
    onsubmit: async (event) => {
      event.preventDefault();
      const verdict = form.elements.outcome.value;
      try {
        const body = { decision_id: decisionId, verdict, note: note.value, on_version: version, ...(verdict === 'not_a_problem' ? { reason: reason.value } : {}) };
        const done = await postSurely(`${address}/field`, body);
        version = done.review.version;
        fill(form, h('p', { class: 'thanks', role: 'status', text: t('sent_thanks') }));
      } catch (problem) { told.textContent = problem.code === 'stale' ? t('stale', { verdict: t(problem.current?.verdict ?? 'unknown') }) : problem.message; }
    },
  }, outcome, reason, note, h('button', { class: 'primary wide', text: t('send') }), told);
  fill(host, h('main', { class: 'field' },
    h('header', {}, h('h1', { text: t('field_check') }), h('button', { type: 'button', class: 'quiet', text: t('language'), onclick: () => { setLanguage(otherLanguage()); location.reload(); } })),
    h('section', { class: 'card' }, h('h2', { text: `${t(patch.object_class)} · ${squareMetres(patch.area_m2)}` }), h('p', { text: `${patch.reach_name} · ${t(patch.issue_class)} · ${day(patch.pre_date)} → ${day(patch.post_date)}` }), patch.explanation ? h('p', { class: 'words', text: patch.explanation }) : null,
      h('p', { class: 'coordinates', text: `${t('coordinates')} ${lon.toFixed(6)}, ${lat.toFixed(6)}` }), position,
      h('a', { class: 'primary wide', href: `https://uri.amap.com/navigation?to=${shifted.join(',')},${encodeURIComponent(patch.patch_id)}&coordinate=gaode`, rel: 'noreferrer noopener', target: '_blank', text: t('gcj') })),
    h('section', { class: 'card' }, h('label', { class: 'primary wide', for: 'photo', text: t('add_photo') }), add, photos),
    h('section', { class: 'card' }, form)));
  document.body.dataset.ready = 'true';
}

start().catch((problem) => {
  fill(host, h('main', { class: 'field' }, h('p', { class: 'fault', role: 'alert', text: problem.status === 401 ? t('link_over') : problem.message })));
});
