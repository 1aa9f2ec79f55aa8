// Logging in, and the first password.
import { ask, get, onLoggedOut, post, useCsrf } from './api.js';
import { fill, h } from './dom.js';
import { chooseLanguage, isKnown, otherLanguage, setLanguage, t } from './texts.js';

/** The session, asked for until there is one whose password is the person's own. */
export async function enter(host) {
  chooseLanguage();
  onLoggedOut(() => location.reload());
  try {
    const session = await get('/api/session');
    useCsrf(session.csrf);
    if (!session.password_due) return session;
    return await newPassword(host);
  } catch (problem) {
    if (problem.status === 401) return logIn(host);
    card(host, h('p', { class: 'fault', role: 'alert', text: problem.message }));
    throw problem;
  }
}

function card(host, ...children) {
  fill(host, h('main', { class: 'gate' }, h('div', { class: 'card' },
    h('div', { class: 'brand' }, h('img', { src: '/assets/icon.svg', alt: '', width: '40', height: '40' }), h('h1', {}, 'Shorewatch ', h('small', { text: t('title') }))),
    ...children,
    h('button', { class: 'quiet', type: 'button', text: t('language'), onclick: () => { setLanguage(otherLanguage()); location.reload(); } }))));
}

const field = (name, label, more = {}) => h('label', { class: 'field' }, h('span', { text: label }), h('input', { name, required: true, ...more }));

/** Why the identity provider let nobody in, as the server says it in the address; told once. */
function refusal() {
  const code = new URLSearchParams(location.hash.slice(1)).get('refused');
  if (!code) return '';
  history.replaceState(null, '', location.pathname);
  return isKnown(`refused_${code}`) ? t(`refused_${code}`) : t('refused_provider_refused');
}

/** The button of the identity provider; the browser comes back with a session, or with the reason why there is none. */
function providerButton(name, fault) {
  const button = h('button', {
    class: 'provider',
    type: 'button',
    text: t('login_by', { name }),
    onclick: async () => {
      button.disabled = true;
      fault.textContent = '';
      try {
        location.assign((await post('/api/session/provider')).address);
      } catch (problem) {
        button.disabled = false;
        fault.textContent = isKnown(`refused_${problem.code}`) ? t(`refused_${problem.code}`) : problem.message;
      }
    },
  });
  return button;
}

async function logIn(host) {
  const provider = (await get('/api/session/provider').catch(() => ({ name: null }))).name;
  return new Promise((resolve) => {
    const fault = h('p', { class: 'fault', role: 'alert', text: refusal() });
    const form = h('form', {
      onsubmit: async (event) => {
        event.preventDefault();
        fault.textContent = '';
        try {
          const session = await ask('POST', '/api/session', { account: form.account.value.trim(), password: form.password.value });
          useCsrf(session.csrf);
          resolve(session.password_due ? await newPassword(host, form.password.value) : session);
        } catch (problem) {
          fault.textContent = problem.status === 401 ? t('wrong') : problem.code === 'provider_only' ? t('provider_only') : problem.message;
          form.password.select();
        }
      },
    }, field('account', t('account'), { autocomplete: 'username', autofocus: true }), field('password', t('password'), { type: 'password', autocomplete: 'current-password' }), fault, h('button', { class: 'primary', text: t('login') }), provider && providerButton(provider, fault));
    card(host, form);
    form.account.focus();
  });
}

function newPassword(host, old = '') {
  return new Promise((resolve) => {
    const fault = h('p', { class: 'fault', role: 'alert' });
    const form = h('form', {
      onsubmit: async (event) => {
        event.preventDefault();
        try {
          const session = await post('/api/password', { old: form.old.value, new: form.new.value });
          useCsrf(session.csrf);
          resolve(session);
        } catch (problem) {
          fault.textContent = problem.message;
        }
      },
    }, h('p', { text: t('password_due') }), field('old', t('old_password'), { type: 'password', value: old, autocomplete: 'current-password' }), field('new', t('new_password'), { type: 'password', autocomplete: 'new-password', minlength: '12' }), fault, h('button', { class: 'primary', text: t('change_password') }));
    card(host, form);
    (old ? form.new : form.old).focus();
  });
}
