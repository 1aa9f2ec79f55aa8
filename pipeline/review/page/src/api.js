// The server, asked.

/** What the server refused, with a code to act on. */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail ?? `HTTP ${status}`);
    this.status = status;
    this.code = body.code ?? 'network';
    this.current = body.current ?? null;
  }
}

let csrf = '';
let bearer = '';
let whenLoggedOut = () => {};

export const useCsrf = (token) => { csrf = token; };
export const useBearer = (token) => { bearer = token; };
export const onLoggedOut = (listener) => { whenLoggedOut = listener; };

/** A request; the body goes as JSON, or as it is where it is a form. */
export async function ask(method, path, body) {
  const headers = {};
  if (bearer) headers.authorization = `Bearer ${bearer}`;
  if (method !== 'GET' && csrf) headers['x-csrf-token'] = csrf;
  const isForm = body instanceof FormData;
  if (body !== undefined && !isForm) headers['content-type'] = 'application/json';
  let response;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: body === undefined || isForm ? body : JSON.stringify(body),
      credentials: bearer ? 'omit' : 'same-origin',
    });
  } catch (fault) {
    throw new Problem(0, { code: 'network', detail: String(fault) });
  }
  if (response.status === 204) return null;
  const kind = response.headers.get('content-type') ?? '';
  const answer = kind.includes('json') ? await response.json() : await response.blob();
  if (!response.ok) {
    if (response.status === 401 && path !== '/api/session') whenLoggedOut();
    throw new Problem(response.status, answer instanceof Blob ? {} : answer);
  }
  return answer;
}

export const get = (path) => ask('GET', path);
export const post = (path, body = {}) => ask('POST', path, body);

/** An identity for something that is sent once in effect, however often it is sent. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Sends until it is answered: the same id again is the same decision. */
export async function postSurely(path, body, tries = 4) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await post(path, body);
    } catch (problem) {
      const passing = problem.status === 0 || problem.status === 503 || problem.status === 429;
      if (!passing || attempt === tries) throw problem;
      await new Promise((resolve) => { setTimeout(resolve, 400 * 2 ** attempt); });
    }
  }
}

/** Query text of what is given. */
export function query(values) {
  const given = Object.entries(values).filter(([, value]) => value !== undefined && value !== null && value !== '' && value !== false);
  return given.length ? `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}` : '';
}
