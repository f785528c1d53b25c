// Short words about what just happened, said to a screen reader too.
//
//   toast('Copied')            toast('Could not cancel: …', 'error')        say('12 events')  only for a screen reader

import { h } from '../core/dom.js';

const SHOWN_MS = 4_000;
const SHOWN_ERROR_MS = 10_000;
const TOASTS_MAX = 4;

let box = null;
let voice = null;

/** Makes the regions; they have to be there before the first word. */
export function startToasts() {
  box = h('div', { class: 'toasts', role: 'status', 'aria-live': 'polite' });
  voice = h('div', { class: 'sr', role: 'log', 'aria-live': 'polite', 'aria-label': 'News' });
  document.body.append(box, voice);
}

/** @param {string} text @param {'info'|'ok'|'error'} [kind] */
export function toast(text, kind = 'info') {
  if (!box) return;
  const item = h('p', { class: ['toast', kind] }, text, h('button', { type: 'button', class: 'icon-button', 'aria-label': 'Dismiss', on: { click: () => item.remove() } }, '×'));
  while (box.childElementCount >= TOASTS_MAX) box.firstElementChild.remove();
  box.append(item);
  setTimeout(() => item.remove(), kind === 'error' ? SHOWN_ERROR_MS : SHOWN_MS);
}

/** @param {string} text */
export function say(text) {
  if (!voice) return;
  voice.replaceChildren(h('p', null, text));
}
