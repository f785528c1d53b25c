// A JSON value that can be folded; every text in it is hostile. Members are made when they are unfolded.
//
//   json(value, { label: 'The event', open: 2 })     unfolded to the second level

import { fragment, h } from '../core/dom.js';
import { copyButton, visible } from '../core/text.js';

const MEMBERS_SHOWN = 100;
const STRING_SHOWN = 600;
const PREVIEW_CHARS = 60;

/** @param {*} value @param {{label?: string, open?: number}} [options] */
export function json(value, { label = 'JSON', open = 1 } = {}) {
  return h('div', { class: 'json', role: 'group', 'aria-label': label },
    h('div', { class: 'json-tools' }, copyButton(() => JSON.stringify(value, null, 2), 'Copy as JSON')),
    node(null, value, open));
}

function node(key, value, open) {
  const name = key == null ? null : fragment(h('span', { class: 'json-key' }, visible(String(key))), ': ');
  if (value === null || typeof value !== 'object') return h('div', { class: 'json-line' }, name, scalar(value));
  const isList = Array.isArray(value);
  const entries = isList ? value.map((item, index) => [index, item]) : Object.entries(value);
  if (entries.length === 0) return h('div', { class: 'json-line' }, name, isList ? '[]' : '{}');
  if (isList && isShort(value)) return h('div', { class: 'json-line' }, name, '[', value.map((item, index) => [index > 0 && ', ', scalar(item)]), ']');
  const body = h('div', { class: 'json-body' });
  let isMade = false;
  const make = () => {
    if (isMade) return;
    isMade = true;
    more(body, entries, 0, open - 1);
  };
  if (open > 0) make();
  return h('details', { open: open > 0, on: { toggle: (event) => { if (event.currentTarget.open) make(); } } },
    h('summary', null, name, h('span', { class: 'faint' }, isList ? `[ ${entries.length} ]` : `{ ${entries.length} }`), !isList && h('span', { class: 'faint json-preview' }, ' ', preview(value))), body);
}

function more(body, entries, from, open) {
  for (const [key, item] of entries.slice(from, from + MEMBERS_SHOWN)) body.append(node(key, item, open));
  const rest = entries.length - from - MEMBERS_SHOWN;
  if (rest > 0) {
    const button = h('button', { type: 'button', class: 'button small', on: { click: () => { button.remove(); more(body, entries, from + MEMBERS_SHOWN, 0); } } }, `Show more (${rest})`);
    body.append(button);
  }
}

/** A list of few, small values stands in one line. */
const isShort = (list) => list.every((item) => item === null || typeof item !== 'object') && JSON.stringify(list).length <= PREVIEW_CHARS;

const preview = (value) => {
  const text = Object.keys(value).join(', ');
  return visible(text.length > PREVIEW_CHARS ? `${text.slice(0, PREVIEW_CHARS)}…` : text);
};

function scalar(value) {
  if (typeof value !== 'string') return h('span', { class: value === null ? 'faint' : 'json-number' }, String(value));
  const isCut = value.length > STRING_SHOWN;
  const box = h('span', { class: 'json-string' }, visible(JSON.stringify(isCut ? value.slice(0, STRING_SHOWN) : value)));
  if (!isCut) return box;
  const button = h('button', { type: 'button', class: 'button small', on: { click: () => { box.replaceChildren(visible(JSON.stringify(value))); button.remove(); } } }, `… ${value.length - STRING_SHOWN} more characters`);
  return fragment(box, button);
}
