// Go anywhere by typing ('/'), and which keys there are ('?').

import { fill, h, uid } from '../core/dom.js';
import { href, navigate } from '../core/router.js';
import { keys } from '../core/keys.js';
import { icon } from '../core/icons.js';
import { openDialog } from './dialog.js';

const FOUND_MAX = 12;

// The beginning of an id says where it leads.
const BY_ID = [
  [/^run_\w+$/, (id) => `/runs/${id}`, 'Run'], [/^appr_\w+$/, (id) => `/approvals/${id}`, 'Approval'], [/^room_\w+$/, (id) => `/rooms/${id}`, 'Room'],
  [/^inc_\w+$/, (id) => `/incidents/${id}`, 'Incident'], [/^th_\w+$/, (id) => `/threads/${id}`, 'Thread'],
  [/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/, (id) => `/events/${id}`, 'Event'],
];

/** @param {Array<{path: string, name: string, icon: string, key?: string}>} places */
export function openPalette(places) {
  const listID = uid('places');
  const input = h('input', { type: 'search', role: 'combobox', 'aria-expanded': 'true', 'aria-controls': listID, 'aria-autocomplete': 'list', 'aria-label': 'Search, or go to', placeholder: 'Search, or go to …', autocomplete: 'off', spellcheck: 'false', maxlength: 200 });
  const list = h('ul', { class: 'palette-list', role: 'listbox', id: listID, 'aria-label': 'Places' });
  let found = [];
  let at = 0;
  const close = openDialog({ title: 'Go to', class: 'palette', content: h('div', { class: 'stack tight' }, input, list) });
  const go = (address) => { close(); navigate(address); };
  const draw = () => {
    const text = input.value.trim();
    const word = text.toLowerCase();
    const ids = BY_ID.filter(([test]) => test.test(text)).map(([, path, name]) => ({ name: `${name} ${text}`, address: href(path(text)), icon: 'arrow' }));
    const pages = places.filter((place) => place.name.toLowerCase().includes(word)).map((place) => ({ name: place.name, address: href(place.path), icon: place.icon, key: place.key }));
    const search = text.length > 1 ? [{ name: `Search for “${text}”`, address: href('/search', { q: text }), icon: 'search' }] : [];
    found = [...ids, ...(text.length > 1 && pages.length === 0 ? search : []), ...pages, ...(pages.length > 0 ? search : [])].slice(0, FOUND_MAX);
    at = Math.min(at, Math.max(0, found.length - 1));
    fill(list, found.map((place, index) => h('li', { role: 'option', id: `${listID}-${index}`, 'aria-selected': String(index === at), on: { click: () => go(place.address) } },
      icon(place.icon), h('span', { class: 'grow clip' }, place.name), place.key && h('kbd', null, place.key))));
    if (found.length) input.setAttribute('aria-activedescendant', `${listID}-${at}`);
  };
  input.addEventListener('input', () => { at = 0; draw(); });
  input.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      at = (at + (event.key === 'ArrowDown' ? 1 : found.length - 1)) % Math.max(1, found.length);
      draw();
    } else if (event.key === 'Enter' && found[at]) {
      event.preventDefault();
      go(found[at].address);
    }
  });
  draw();
  input.focus();
}

/** All keys that work here, and the switch that turns single keys off. */
export function openKeys() {
  const { screen, everywhere } = keys.all();
  const rows = (list) => h('dl', { class: 'keys' }, list.filter(([, binding]) => binding.says).map(([key, binding]) => h('div', null,
    h('dt', null, key.split(' ').map((one, index) => [index > 0 && ' then ', h('kbd', null, one === 'Escape' ? 'Esc' : one)])), h('dd', null, binding.says))));
  const box = h('input', { type: 'checkbox', checked: keys.areOn, on: { change: () => { keys.areOn = box.checked; } } });
  openDialog({ title: 'Keys', class: 'wide-dialog', content: h('div', { class: 'stack' },
    h('div', { class: 'key-columns' },
      screen.length > 0 && h('section', null, h('h3', null, 'On this page'), rows(screen)),
      h('section', null, h('h3', null, 'Everywhere'), rows(everywhere))),
    h('label', { class: 'cluster' }, box, 'Single keys act (switch off if they get in your way)')) });
}
