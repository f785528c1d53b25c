// The only way to the api. Same origin, JSON in and out, session by cookie, CSRF token and idempotency key on what acts.
//
//   const { run } = await api.get(`/v1/runs/${id}`, { query: { limit: 10 }, signal });
//   await api.post(`/v1/runs/${id}/cancel`, { reason });         // throws Problem
//   for await (const page of api.pages('/v1/runs', 'runs', { query, signal })) …
//
// Reads carry an ETag and `cache-control: no-cache`: the browser asks again with If-None-Match by itself.

const TIMEOUT_MS = 30_000;
const PAGES_MAX = 100;
const TRIES_MAX = 3;
const RETRY_MS = 400;

/** A refusal (RFC 9457), or a network that is not there (status 0). */
export class Problem extends Error {
  /** @param {{status: number, code: string, title: string, detail: string, details?: Object, requestId?: ?string}} facts */
  constructor(facts) {
    super(facts.detail || facts.title);
    Object.assign(this, facts);
    this.name = 'Problem';
  }
  get isOffline() { return this.status === 0; }
}

/** Who is signed in; null before. `workspace` is what the pages show: the session's, or `?ws=` for the operator. */
export const session = {
  current: null,
  get workspace() { return requestedWorkspace() ?? this.current?.workspace_id ?? ''; },
  get isForeignWorkspace() { return this.current != null && this.workspace !== this.current.workspace_id; },
  get canWrite() { return this.current != null && !this.current.is_read_only; },
};

/** Is called when the session has ended. */
export let onSignedOut = () => {};
export const setOnSignedOut = (listener) => { onSignedOut = listener; };

function requestedWorkspace() {
  const ws = new URLSearchParams(location.search).get('ws');
  return ws && session.current?.is_operator ? ws : null;
}

/** A path with its query; null, undefined and '' are left out, lists repeat. @param {string} path @param {Object} [query] */
export function withQuery(path, query) {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const one of [value].flat()) if (one != null && one !== '') pairs.append(name, String(one));
  }
  const text = pairs.toString();
  return text ? `${path}?${text}` : path;
}

/** What every request says of itself. @returns {Record<string, string>} */
export function headers() {
  const result = { accept: 'application/json' };
  if (session.isForeignWorkspace) result['x-workspace-id'] = session.workspace;
  return result;
}

export const api = {
  /** @param {string} path @param {{query?: Object, signal?: AbortSignal}} [options] @returns {Promise<any>} */
  async get(path, { query, signal } = {}) {
    const response = await send(withQuery(path, query), { headers: headers() }, signal);
    return response.json();
  },

  /** Bytes as text or blob. @param {string} path @param {{signal?: AbortSignal, range?: string}} [options] @returns {Promise<Response>} */
  raw(path, { signal, range } = {}) {
    return send(path, { headers: { ...headers(), accept: '*/*', ...(range ? { range } : {}) } }, signal);
  },

  /** Acts. The same key for every try, so that a lost answer or a second click does nothing twice.
   *  @param {string} path @param {Object} [body] @param {{key?: string, signal?: AbortSignal}} [options] */
  async post(path, body = {}, { key = newKey(), signal } = {}) {
    const init = {
      method: 'POST',
      body: JSON.stringify(body),
      headers: {
        ...headers(), 'content-type': 'application/json', 'idempotency-key': key,
        ...(session.current?.csrf_token ? { 'x-csrf-token': session.current.csrf_token } : {}),
      },
    };
    for (let tries = 1; ; tries++) {
      try {
        const response = await send(path, init, signal);
        return response.status === 204 ? {} : await response.json();
      } catch (problem) {
        const isPassing = problem instanceof Problem && (problem.isOffline || problem.status === 503);
        if (!isPassing || tries >= TRIES_MAX || signal?.aborted) throw problem;
        await new Promise((done) => setTimeout(done, RETRY_MS * tries));
      }
    }
  },

  /** The items of a list, page by page. @param {string} path @param {string} member
   *  @param {{query?: Object, signal?: AbortSignal, pagesMax?: number}} [options] */
  async *pages(path, member, { query, signal, pagesMax = PAGES_MAX } = {}) {
    let cursor = null;
    for (let page = 0; page < pagesMax; page++) {
      const answer = await this.get(path, { query: { ...query, ...(cursor == null ? {} : { cursor }) }, signal });
      yield answer[member];
      cursor = answer.next_cursor;
      if (cursor == null || answer[member].length === 0) return;
    }
  },

  /** All items of a list, up to a limit. @returns {Promise<Array>} */
  async all(path, member, { query, signal, max = 1000 } = {}) {
    const items = [];
    for await (const page of this.pages(path, member, { query: { limit: 200, ...query }, signal })) {
      items.push(...page);
      if (items.length >= max) return items.slice(0, max);
    }
    return items;
  },
};

/** A key for one intention of the user. @returns {string} */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `ui-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

async function send(path, init, signal) {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  let response;
  try {
    response = await fetch(path, {
      credentials: 'same-origin', redirect: 'error', ...init, signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw new Problem({
      status: 0, code: 'unreachable', title: 'No answer',
      detail: timeout.aborted ? `The api did not answer within ${TIMEOUT_MS / 1000} s.` : 'The api cannot be reached. Is it running? `aos status` tells.',
    });
  }
  if (response.ok) return response;
  const problem = await problemOf(response);
  if (response.status === 401 && session.current) onSignedOut(problem);
  throw problem;
}

/** What a refusal says. @param {Response} response @returns {Promise<Problem>} */
export async function problemOf(response) {
  let body = {};
  try { body = await response.json(); } catch { /* Not one of ours: its status is all there is. */ }
  return new Problem({
    status: response.status,
    code: String(body.reason_code ?? body.error ?? `http_${response.status}`),
    title: String(body.title ?? response.statusText ?? 'Refused'),
    detail: String(body.detail ?? body.reason ?? `The api answered ${response.status}.`),
    details: body.details,
    requestId: response.headers.get('x-request-id'),
  });
}
