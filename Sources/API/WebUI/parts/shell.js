// The frame around every page: nav, search, connection, kill switch, theme, who is signed in.
//
//   const shell = makeShell(places);  document.body.append(shell.element);  shell.start();  shell.shown('/runs')

import { fill, h, show, svg } from '../core/dom.js';
import { api, session } from '../core/api.js';
import { href, navigate } from '../core/router.js';
import { icon } from '../core/icons.js';
import { keys } from '../core/keys.js';
import { line } from '../core/text.js';
import { live } from '../core/live.js';
import { timeOfDay } from '../core/time.js';
import { field } from './form.js';
import { killSwitch } from './killswitch.js';
import { openDialog } from './dialog.js';
import { openKeys, openPalette } from './palette.js';
import { say } from './toast.js';

const COUNT_MAX = 99;
const THEMES = [['', 'auto', 'as the system'], ['light', 'sun', 'light'], ['dark', 'moon', 'dark']];

/** @param {Array<{path: string, name: string, icon: string, key?: string, group?: string, bottom?: boolean, count?: string}>} places */
export function makeShell(places) {
  const page = h('main', { class: 'page', id: 'main', tabindex: -1 });
  const ks = killSwitch();
  const links = new Map();
  const counts = new Map();
  const linkTo = (place, isBottom) => {
    const badge = place.count && h('span', { class: ['count', place.isLoud && 'loud'], hidden: true });
    if (badge) counts.set(place.count, [...(counts.get(place.count) ?? []), badge]);
    const anchor = h('a', { href: href(place.path), title: place.key ? `${place.name} (${place.key})` : place.name }, icon(place.icon), h('span', { class: 'label' }, place.name), badge);
    links.set(anchor, place.path);
    return isBottom ? anchor : h('li', null, anchor);
  };
  const groups = [...new Set(places.map((place) => place.group))];
  const nav = () => h('div', { class: 'nav' }, groups.map((group) => [group && h('h2', null, group), h('ul', null, places.filter((place) => place.group === group).map((place) => linkTo(place)))]));

  const state = h('button', { type: 'button', class: 'button quiet link-state', on: { click: () => live.retry() } }, h('i'), h('span', { class: 'wide' }));
  const old = h('p', { class: 'old', hidden: true });
  const shadow = h('p', { class: 'shadow', hidden: true }, icon('alert'), 'Shadow mode: policy watches and lets everything through (POLICY_ENFORCEMENT_MODE=shadow)');
  const theme = h('button', { type: 'button', class: 'icon-button', on: { click: () => nextTheme() } });
  const version = h('span', { class: 'num' });
  const who = h('button', { type: 'button', class: 'icon-button wide', title: 'Session', 'aria-label': 'Session and workspace', on: { click: () => openSession() } }, icon('more'));

  const element = h('div', { class: 'frame' },
    h('a', { class: 'skip', href: '#main', on: { click: (event) => { event.preventDefault(); (page.querySelector('h1') ?? page).focus(); } } }, 'Skip to the content'),
    h('nav', { class: 'side', 'aria-label': 'Main' },
      h('a', { class: 'brand', href: href('/'), 'aria-label': 'AgentOS, home' }, mark(), h('span', null, 'AgentOS')),
      nav(),
      h('div', { class: 'foot' }, version)),
    h('header', { class: 'top' },
      h('button', { type: 'button', class: 'searchbox', 'aria-label': 'Search, or go to a page', on: { click: () => openPalette(places) } }, icon('search'), h('span', null, 'Search or go to'), h('kbd', null, '/')),
      h('span', { class: 'room' }), state, ks.button, theme,
      h('button', { type: 'button', class: 'icon-button wide', title: 'Keys (?)', 'aria-label': 'Keys', on: { click: openKeys } }, icon('keys')), who),
    h('div', { class: 'strip' }, ks.strip, old, shadow),
    page,
    h('nav', { class: 'bottom', 'aria-label': 'Main' }, places.filter((place) => place.bottom).map((place) => linkTo(place, true)),
      h('button', { type: 'button', on: { click: () => openMore() } }, icon('more'), h('span', null, 'More'))));

  const openMore = () => {
    const close = openDialog({ title: 'Menu', class: 'menu', content: h('div', { class: 'stack' }, h('div', { on: { click: (event) => { if (event.target.closest('a')) close(); } } }, nav()),
      h('button', { type: 'button', class: 'button', on: { click: () => { close(); openSession(); } } }, 'Session and workspace')) });
  };

  const drawTheme = () => {
    const now = document.documentElement.dataset.theme ?? '';
    const [, name, word] = THEMES.find(([key]) => key === now) ?? THEMES[0];
    fill(theme, icon(name));
    theme.title = `Colours: ${word}. Press to change`;
    theme.setAttribute('aria-label', theme.title);
  };
  const nextTheme = () => {
    const now = document.documentElement.dataset.theme ?? '';
    const [next, , word] = THEMES[(THEMES.findIndex(([key]) => key === now) + 1) % THEMES.length];
    if (next) document.documentElement.dataset.theme = next;
    else delete document.documentElement.dataset.theme;
    try { if (next) localStorage.setItem('aos.theme', next); else localStorage.removeItem('aos.theme'); } catch { /* For this page only. */ }
    drawTheme();
    say(`Colours: ${word}`);
  };

  const drawState = ({ state: now, since }) => {
    state.className = `button quiet link-state ${now}`;
    const word = { live: 'Live', stale: `Stale since ${timeOfDay(since)}`, connecting: 'Connecting', resting: 'Resting' }[now];
    fill(state.lastChild, word);
    state.title = now === 'stale' ? 'The connection is lost; press to try at once' : 'What is shown follows what happens';
    state.setAttribute('aria-label', `Connection: ${word}`);
    show(old, now === 'stale');
    if (now === 'stale') {
      fill(old, icon('alert'), `The connection is lost. What you see is as of ${timeOfDay(since)}.`, h('button', { type: 'button', class: 'button small', on: { click: () => live.retry() } }, 'Try now'));
      say(`The connection is lost, since ${timeOfDay(since)}`);
    }
  };

  const openSession = () => {
    const of = session.current;
    const ws = field({ label: 'Workspace', hint: of.is_operator ? 'You are the machine’s operator: every workspace can be looked at.' : 'Yours.', input: h('input', { value: session.workspace, readonly: !of.is_operator, maxlength: 100, spellcheck: 'false', autocomplete: 'off' }) });
    const close = openDialog({ title: 'Session', content: h('form', { class: 'stack', on: { submit: (event) => {
      event.preventDefault();
      close();
      const next = ws.value.trim();
      location.assign(next && next !== of.workspace_id ? `/?ws=${encodeURIComponent(next)}` : '/');
    } } },
    h('p', null, 'Signed in as ', h('b', null, line(of.display_name || of.actor_id)), of.is_read_only && ' (read only)'),
    ws.element,
    h('div', { class: 'cluster end' },
      h('button', { type: 'button', class: 'button', on: { click: async () => { close(); await api.post('/v1/ui/session/end').catch(() => {}); location.assign('/login?out=1'); } } }, icon('leave'), 'Sign out'),
      of.is_operator && h('button', { type: 'submit', class: 'button primary' }, 'Go there'))) });
  };

  keys.global({
    '/': { says: 'Search, or go to a page', run: () => openPalette(places) },
    '?': { says: 'Keys', run: openKeys },
    K: { says: 'Kill switch', run: () => ks.press() },
    ...Object.fromEntries(places.filter((place) => place.key).map((place) => [place.key, { says: place.name, run: () => navigate(href(place.path)) }])),
  });

  return {
    element, page,
    /** Which page is shown: its place in the nav is marked. @param {string} pattern */
    shown(pattern) {
      const root = `/${pattern.split('/')[1] ?? ''}`;
      for (const [anchor, path] of links) {
        anchor.setAttribute('href', href(path));
        if (path === root) anchor.setAttribute('aria-current', 'page');
        else anchor.removeAttribute('aria-current');
      }
    },
    /** A number beside a place. @param {string} name @param {number} count */
    count(name, count) {
      for (const badge of counts.get(name) ?? []) {
        badge.hidden = count === 0;
        fill(badge, count > COUNT_MAX ? `${COUNT_MAX}+` : String(count));
      }
    },
    start() {
      drawTheme();
      live.onState(drawState);
      ks.start();
      api.get('/health').then((health) => { show(shadow, health.enforcement_mode === 'shadow'); fill(version, `version ${health.version}`); }).catch(() => {});
    },
  };
}

const mark = () => svg('svg', { viewBox: '0 0 32 32', 'aria-hidden': 'true' },
  svg('rect', { width: 32, height: 32, rx: 7, fill: '#0b5566' }), svg('path', { d: 'M10 6v20', stroke: '#9fd8e2', 'stroke-width': 2.5, 'stroke-linecap': 'round' }),
  svg('circle', { cx: 10, cy: 9, r: 3, fill: '#fff' }), svg('circle', { cx: 10, cy: 23, r: 3, fill: '#fff' }),
  svg('circle', { cx: 10, cy: 16, r: 3.4, fill: '#0b5566', stroke: '#ffc861', 'stroke-width': 2.2 }),
  svg('path', { d: 'M17 9h8M17 16h5M17 23h8', stroke: '#fff', 'stroke-width': 2.5, 'stroke-linecap': 'round' }));
