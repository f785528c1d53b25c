// What every view offers: its data as .json, and itself as curl and as aos, to copy. A link is a report.
//
//   head(view, { title: 'Runs', sub: [...], actions: [button], api: '/v1/runs?status=failed', aos: 'aos run list --status failed' })
//
// `api`: the read behind the view. `json`: its twin, if not the page's address with .json (the api redirects).

import { h } from '../core/dom.js';
import { copy, plain } from '../core/text.js';
import { session } from '../core/api.js';
import { icon } from '../core/icons.js';

/** Words as one would have to type them. @param {string} text */
export const quoted = (text) => /^[\w./:=@%+,-]+$/.test(text) ? text : `'${String(text).replaceAll("'", "'\\''")}'`;

/** The view's read as a command. @param {string} path @param {{method?: string, body?: Object}} [options] */
export function curl(path, { method = 'GET', body } = {}) {
  const parts = ['curl', '-H "authorization: Bearer $AOS_TOKEN"'];
  if (session.isForeignWorkspace) parts.push('-H', quoted(`x-workspace-id: ${session.workspace}`));
  if (method !== 'GET') parts.push('-X', method);
  if (body) parts.push('-H', "'content-type: application/json'", '-d', quoted(JSON.stringify(body)));
  parts.push(quoted(location.origin + path));
  return parts.join(' ');
}

/** The three, as a small bar. @param {{api?: string, aos?: string, json?: string}} of */
export function copyBar({ api, aos, json }) {
  const twin = json ?? (location.pathname === '/' ? api : `${location.pathname}.json${location.search}`);
  return h('div', { class: 'copybar', role: 'group', 'aria-label': 'This view for programs' },
    twin && h('a', { class: 'button small quiet', href: twin, title: 'What this view shows, as data', data: { plain: '' } }, '.json'),
    api && h('button', { class: 'button small quiet', type: 'button', title: plain(curl(api), 400), on: { click: () => copy(curl(api), 'Copied as curl; $AOS_TOKEN is yours to set') } }, icon('copy'), 'curl'),
    aos && h('button', { class: 'button small quiet', type: 'button', title: plain(aos, 400), on: { click: () => copy(aos, `Copied: ${plain(aos, 80)}`) } }, icon('copy'), 'aos'));
}

/** The head of a page: its one h1, what is to say at once, what can be done. Sets the window's title.
 *  @param {Object} view @param {{title: string, shown?: *, sub?: Array, actions?: Array, api?: string, aos?: string, json?: string}} options */
export function head(view, { title, shown, sub, actions = [], ...of }) {
  view.title(title);
  return h('header', { class: 'head' },
    h('div', { class: 'titles' }, h('h1', { tabindex: -1 }, shown ?? title), sub && h('div', { class: 'sub' }, sub)),
    h('div', { class: 'cluster' }, actions, (of.api || of.aos) && copyBar(of)));
}
