// Pages by address, with the whole state of a view in its URL. A screen is a module with `show(view)`; app.js has the table.
//
//   export async function show(view) {
//     view.title('Runs');                                  // the window's and, for a screen reader, the page's
//     view.keys({ n: { says: 'New run', run: … } });
//     const { runs } = await api.get('/v1/runs', { query: view.query.pick('status', 'room_id'), signal: view.signal });
//     fill(view.root, …);
//     view.live((event) => event.run_id === id, () => reload());   // after events that match, at most every LIVE_MS
//     view.onQuery(() => reload());                        // the query changed, the page not (also by the back button)
//     view.onLeave(() => list.stop());
//   }
//   view.setQuery({ status: 'failed', cursor: null }, { replace: true })
//   view.query.text('q'), .number('at_seq'), .list('types'), .flag('all')
//   href('/runs', { status: 'failed' })                    // an address of a page; keeps ?ws=
//   navigate(href(`/runs/${id}`))

import { fill, h } from './dom.js';
import { session, withQuery } from './api.js';
import { keys } from './keys.js';
import { live } from './live.js';
import { plain } from './text.js';
import { failure } from '../parts/states.js';

const LIVE_MS = 250;
const BUSY_MS = 150;

let table = [];
let page = null;
let current = null;
let onShown = () => {};

/** @param {Array<[string, function(): Promise<{show: function}>]>} routes pattern ('/runs/{run_id}') and module
 *  @param {HTMLElement} main @param {function(string): void} shown is told which page is shown */
export function startRouter(routes, main, shown) {
  table = routes.map(([pattern, load]) => ({ pattern, load, test: expression(pattern) }));
  [page, onShown] = [main, shown];
  document.addEventListener('click', clicked);
  addEventListener('popstate', () => arrive(true));
  history.scrollRestoration = 'manual';
  return arrive(false);
}

/** The address of a page, with the workspace kept. @param {string} path @param {Object} [query] */
export function href(path, query) {
  return withQuery(path, { ...query, ...(session.isForeignWorkspace ? { ws: session.workspace } : {}) });
}

/** @param {string} address @param {{replace?: boolean}} [options] */
export function navigate(address, { replace = false } = {}) {
  remember();
  history[replace ? 'replaceState' : 'pushState']({ top: 0 }, '', address);
  return arrive(false);
}

/** Shows the same page again, from the start. */
export const reshow = () => open(true);

const expression = (pattern) =>
  new RegExp(`^${pattern.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)').replace(/\/$/, '')}/?$`);

function clicked(event) {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const anchor = event.target.closest?.('a[href]');
  if (!anchor || anchor.target || anchor.hasAttribute('download') || anchor.dataset.plain != null) return;
  const url = new URL(anchor.href);
  if (url.origin !== location.origin || url.pathname.startsWith('/v1/') || /\.json$/.test(url.pathname)) return;
  if (url.hash && url.pathname === location.pathname && url.search === location.search) return;
  event.preventDefault();
  navigate(url.pathname + url.search + url.hash);
}

function remember() {
  if (page) history.replaceState({ ...history.state, top: page.scrollTop }, '');
}

function arrive(isBack) {
  const isSamePage = current && current.path === location.pathname && current.workspace === session.workspace;
  if (isSamePage && current.queryChanged) {
    current.query = new Query();
    return current.queryChanged();
  }
  return open(false, isBack);
}

async function open(isAgain, isBack = false) {
  const isFirst = current === null;
  current?.leave();
  const view = new View(location.pathname);
  current = view;
  const found = table.map(({ test, load, pattern }) => ({ load, pattern, match: test.exec(location.pathname) })).find(({ match }) => match)
    ?? { load: () => import('../screens/missing.js'), pattern: '', match: {} };
  view.params = Object.fromEntries(Object.entries(found.match.groups ?? {}).map(([key, value]) => [key, safeDecode(value)]));
  onShown(found.pattern);
  // What is there already stays until something better is; then a sign that it takes long.
  const busy = setTimeout(() => page.classList.add('busy'), BUSY_MS);
  const place = () => {
    if (page.firstElementChild !== view.root) page.replaceChildren(view.root);
    page.classList.remove('busy');
    clearTimeout(busy);
  };
  view.place = place;
  try {
    const screen = await found.load();
    if (current !== view) return;
    await screen.show(view);
    if (current !== view) return;
    place();
  } catch (error) {
    if (current !== view || view.signal.aborted) return;
    fill(view.root, failure(error, () => reshow()));
    place();
  }
  page.scrollTop = isBack ? history.state?.top ?? 0 : 0;
  if (!isFirst && !isAgain) (view.root.querySelector('h1') ?? page).focus({ preventScroll: true });
}

const safeDecode = (text) => {
  try { return decodeURIComponent(text); } catch { return text; }
};

/** What stands behind the `?`, with types. */
export class Query {
  constructor(search = location.search) { this.pairs = new URLSearchParams(search); }
  /** @returns {string} '' if not there */
  text(name) { return this.pairs.get(name) ?? ''; }
  /** @returns {?number} a whole number from 0, else null */
  number(name) {
    const text = this.text(name);
    return /^\d{1,16}$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : null;
  }
  /** @returns {Array<string>} of a value with commas */
  list(name) { return this.text(name).split(',').filter(Boolean); }
  flag(name) { return ['1', 'true'].includes(this.text(name)); }
  /** Some members as an object, as the api's query takes them. */
  pick(...names) { return Object.fromEntries(names.map((name) => [name, this.text(name)]).filter(([, value]) => value)); }
}

/** A page that is shown: its element, its address, and what goes with it when it is left. */
class View {
  #leaving = [];
  #controller = new AbortController();

  constructor(path) {
    this.path = path;
    this.workspace = session.workspace;
    this.root = h('div', { class: 'view' });
    this.query = new Query();
    this.params = {};
    this.queryChanged = null;
  }

  /** Aborted when the page is left: goes with every request. */
  get signal() { return this.#controller.signal; }

  title(text) { document.title = text ? `${plain(text, 80)} · AgentOS` : 'AgentOS'; }

  keys(bindings) { keys.local(bindings); }

  onQuery(listener) { this.queryChanged = listener; }

  onLeave(listener) { this.#leaving.push(listener); }

  /** Changes members of the query; null takes one away. Tells no listener: the caller knows. */
  setQuery(changes, { replace = false } = {}) {
    const pairs = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(changes)) {
      if (value == null || value === '' || value === false) pairs.delete(name);
      else pairs.set(name, value === true ? '1' : String(value));
    }
    const search = pairs.toString();
    if (`?${search}` !== location.search && !(search === '' && location.search === '')) {
      remember();
      history[replace ? 'replaceState' : 'pushState'](history.state ?? {}, '', location.pathname + (search ? `?${search}` : '') + location.hash);
    }
    this.query = new Query();
  }

  /**
   * Calls after events that match, never twice at once, at most every LIVE_MS; also after a connection was lost and is back.
   * @param {function(Object): boolean} matches @param {function(Array<Object>): *} listener
   */
  live(matches, listener) {
    let waiting = [];
    let timer = null;
    let isRunning = false;
    const run = async () => {
      timer = null;
      if (isRunning) { timer = setTimeout(run, LIVE_MS); return; }
      const events = waiting;
      waiting = [];
      isRunning = true;
      try { await listener(events); } catch (error) {
        if (!this.signal.aborted) console.warn('a refresh failed', error);
      } finally { isRunning = false; }
    };
    const stop = live.subscribe((events, { isResync = false } = {}) => {
      const found = events.filter(matches);
      if (found.length === 0 && !isResync) return;
      waiting.push(...found);
      timer ??= setTimeout(run, LIVE_MS);
    });
    this.onLeave(() => { stop(); clearTimeout(timer); });
  }

  leave() {
    this.#controller.abort(new DOMException('the page was left', 'AbortError'));
    for (const listener of this.#leaving) listener();
    this.#leaving = [];
    keys.clearLocal();
  }
}
