// Text that agents and tools have made is hostile: it may try to look like something else, to reorder what stands beside
// it, to be clicked, or to be endless. All of it goes through here, as text nodes, with what is invisible made visible.
//
//   line(text)                       one line, cut at LINE_MAX; for tables and sentences
//   block(text, { ansi: true })      many lines, cut with "show all"; `ansi`: SGR colours as classes; `links`: marked
//   idTag(run.run_id, { href })      'run_…8XK2QF', the whole one in its title, with a button that copies it
//   visible(text)                    nodes: the text with marks for what cannot be seen
//   plain(text, max)                 a string for titles and labels: marks as ⟨RLO⟩

import { append, fragment, h, uid } from './dom.js';
import { ansiSpans } from './ansi.js';
import { icon } from './icons.js';
import { toast } from '../parts/toast.js';

export const LINE_MAX = 300;
const BLOCK_LINES_SHOWN = 24;
const BLOCK_CHARS_SHOWN = 6_000;
const BLOCK_CHARS_MAX = 200_000;
const LINK_CHARS_MAX = 2_000;
const ID_TAIL = 6;

// Controls, marks that reorder (UAX #9), characters without a shape, variation selectors, tags, lone surrogates.
const HIDDEN = new RegExp(
  '[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f'
  + '\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ufe00-\\ufe0e\\ufeff\\uffa0\\ufff0-\\ufffb\\u{e0000}-\\u{e0fff}\\ud800-\\udfff]', 'gu');
// Most text is this, and has nothing to hide.
const PLAIN = /^[\x20-\x7e\n\t]*$/;
const NAMES = {
  0x00: 'NUL', 0x07: 'BEL', 0x08: 'BS', 0x0d: 'CR', 0x1b: 'ESC', 0x7f: 'DEL', 0xad: 'SHY', 0x61c: 'ALM', 0x200b: 'ZWSP', 0x200c: 'ZWNJ',
  0x200d: 'ZWJ', 0x200e: 'LRM', 0x200f: 'RLM', 0x2028: 'LSEP', 0x2029: 'PSEP', 0x202a: 'LRE', 0x202b: 'RLE', 0x202c: 'PDF',
  0x202d: 'LRO', 0x202e: 'RLO', 0x2060: 'WJ', 0x2066: 'LRI', 0x2067: 'RLI', 0x2068: 'FSI', 0x2069: 'PDI', 0xfeff: 'BOM',
};
const LINK = /\bhttps?:\/\/[^\s<>"'`]+/giu;

const nameOf = (character) => {
  const point = character.codePointAt(0);
  return NAMES[point] ?? `U+${point.toString(16).toUpperCase().padStart(4, '0')}`;
};

/** The text with a mark for everything that cannot be seen. @param {*} text @returns {DocumentFragment} */
export function visible(text) {
  const result = document.createDocumentFragment();
  const source = String(text ?? '');
  if (PLAIN.test(source)) {
    if (source) result.append(source);
    return result;
  }
  let from = 0;
  for (const match of source.matchAll(HIDDEN)) {
    if (match.index > from) result.append(source.slice(from, match.index));
    const name = nameOf(match[0]);
    result.append(h('span', { class: 'hidden-mark', title: `an invisible character: U+${match[0].codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}` }, name));
    from = match.index + match[0].length;
  }
  if (from < source.length) result.append(source.slice(from));
  return result;
}

/** For `title`, `aria-label` and titles of windows. @param {*} text @param {number} [max] @returns {string} */
export function plain(text, max = LINE_MAX) {
  const one = String(text ?? '').replace(/\s+/g, ' ').slice(0, max * 2).replace(HIDDEN, (character) => `⟨${nameOf(character)}⟩`);
  return one.length > max ? `${one.slice(0, max - 1)}…` : one;
}

/** One line, isolated from the direction of what stands around it. @param {*} text @param {{max?: number, class?: string}} [options] */
export function line(text, { max = LINE_MAX, class: name } = {}) {
  const source = String(text ?? '').replace(/[\r\n\t]+/g, ' ');
  const isCut = source.length > max;
  return h('bdi', { class: ['t', name], title: isCut ? plain(text, 1000) : null }, visible(isCut ? source.slice(0, max) : source), isCut && '…');
}

/**
 * Many lines. Nothing in it is markup; no address in it is fetched.
 * @param {*} text
 * @param {{ansi?: boolean, links?: boolean, label?: string, lines?: number, class?: string}} [options]
 * @returns {HTMLElement}
 */
export function block(text, { ansi = false, links = false, label = 'text', lines = BLOCK_LINES_SHOWN, class: name } = {}) {
  const source = String(text ?? '').replace(/\r\n?/g, '\n');
  const body = h('pre', { class: ['block', name], tabindex: 0, role: 'group', 'aria-label': label, dir: 'auto' });
  const render = (part) => {
    body.replaceChildren();
    const pieces = ansi ? ansiSpans(part) : [{ text: part, classes: '' }];
    for (const piece of pieces) {
      const content = links ? linked(piece.text) : visible(piece.text);
      if (piece.classes) body.append(h('span', { class: piece.classes }, content));
      else body.append(content);
    }
  };
  const shown = cut(source, lines);
  render(shown);
  if (shown.length === source.length) return h('div', { class: 'block-box' }, body);
  const more = source.length - shown.length;
  const button = h('button', { class: 'button small', type: 'button', on: { click: () => {
    render(source.slice(0, BLOCK_CHARS_MAX));
    button.remove();
    if (source.length > BLOCK_CHARS_MAX) box.append(h('p', { class: 'muted' }, `Cut at ${BLOCK_CHARS_MAX.toLocaleString('en')} of ${source.length.toLocaleString('en')} characters; the .json has all.`));
    body.focus();
  } } }, `Show all (${more.toLocaleString('en')} more characters)`);
  const box = h('div', { class: 'block-box' }, body, button);
  return box;
}

function cut(source, lines) {
  let end = Math.min(source.length, BLOCK_CHARS_SHOWN);
  let at = -1;
  for (let count = 0; count < lines; count++) {
    at = source.indexOf('\n', at + 1);
    if (at < 0 || at >= end) { at = -1; break; }
  }
  if (at >= 0) end = at;
  return source.length - end < 200 ? source : source.slice(0, end);
}

/** Text in which addresses are marked, with the whole target to be seen, and open by a click on the arrow only. */
export function linked(text) {
  const source = String(text ?? '');
  const result = document.createDocumentFragment();
  let from = 0;
  for (const match of source.matchAll(LINK)) {
    const address = match[0].replace(/[.,;:!?)\]}]+$/u, '');
    result.append(visible(source.slice(from, match.index)), marked(address));
    from = match.index + address.length;
  }
  result.append(visible(source.slice(from)));
  return result;
}

function marked(address) {
  let url;
  try { url = new URL(address); } catch { return visible(address); }
  if (!['http:', 'https:'].includes(url.protocol) || address.length > LINK_CHARS_MAX) return visible(address);
  // What a look-alike host really is, and who is only a user name before the @.
  const isOther = !address.toLowerCase().startsWith(url.origin.toLowerCase());
  return h('span', { class: 'outlink' }, visible(address), isOther && h('span', { class: 'real-host' }, ` → ${url.host}`),
    h('a', { href: url.href, target: '_blank', rel: 'noopener noreferrer external', title: `Open ${plain(url.href, 500)} in a new tab`, 'aria-label': `Open ${plain(url.href, 200)} in a new tab` }, icon('out')));
}

/** 'run_01KQ…ABCDEF' → 'run_…ABCDEF'. @param {string} id */
export function shortID(id) {
  const text = String(id ?? '');
  const stem = /^([a-z]{2,8}_)/.exec(text)?.[1] ?? '';
  return text.length <= stem.length + ID_TAIL + 2 ? text : `${stem}…${text.slice(-ID_TAIL)}`;
}

/** An identifier, short, with the whole one to copy. @param {?string} id @param {{href?: string, name?: string}} [options] */
export function idTag(id, { href, name = 'identifier' } = {}) {
  if (!id) return h('span', { class: 'faint' }, '–');
  const shown = href ? h('a', { href, title: plain(id) }, visible(shortID(id))) : h('span', { title: plain(id) }, visible(shortID(id)));
  return h('span', { class: 'id' }, shown, copyButton(id, `Copy the ${name}`));
}

/** A button that copies a text. @param {string|function(): string} text @param {string} label */
export function copyButton(text, label = 'Copy') {
  // What it copies is to be seen on it, so that `redraw` keeps none that copies something else.
  return h('button', { class: 'copy', type: 'button', title: label, 'aria-label': label, data: { copies: typeof text === 'function' ? uid('copy') : plain(text) }, on: { click: (event) => {
    event.stopPropagation();
    event.preventDefault();
    copy(typeof text === 'function' ? text() : text);
  } } }, icon('copy'));
}

/** Copies, and says so. @param {string} text @param {string} [what] */
export async function copy(text, what = 'Copied') {
  try {
    await navigator.clipboard.writeText(text);
    toast(what);
  } catch {
    const field = h('textarea', { class: 'sr', 'aria-hidden': 'true' });
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand('copy');
    field.remove();
    toast(done ? what : 'This browser does not let the page copy', done ? 'info' : 'error');
  }
}

/** Children separated by ' · '. @param {Array} parts */
export function dotted(parts) {
  const result = fragment();
  parts.filter((part) => part != null && part !== false && part !== '').forEach((part, index) => append(result, [index > 0 && h('span', { class: 'faint' }, ' · '), part]));
  return result;
}
