// What a change would do to a text, line by line.
//
//   diff(before, after)          two texts; `before` null: all of it is new
//   patch(text)                  a unified diff somebody has made
//   looksLikePatch(text)

import { h } from '../core/dom.js';
import { visible } from '../core/text.js';

const LINES_MAX = 1_500;
const LINES_SHOWN = 400;
const CONTEXT = 3;

/** @param {string} text */
export const looksLikePatch = (text) => /^(diff --git |--- .*\n\+\+\+ |@@ -\d)/m.test(String(text ?? ''));

/** @param {?string} before @param {string} after @param {{label?: string}} [options] */
export function diff(before, after, { label = 'Change' } = {}) {
  const to = splitLines(after);
  if (before == null) return draw(to.map((text, index) => ({ sign: '+', text, number: index + 1 })), label);
  const from = splitLines(before);
  if (from.length > LINES_MAX || to.length > LINES_MAX) {
    return draw([...from.map((text) => ({ sign: '-', text })), ...to.map((text) => ({ sign: '+', text }))], label);
  }
  return draw(folded(compare(from, to)), label);
}

/** @param {string} text @param {{label?: string}} [options] */
export function patch(text, { label = 'Change' } = {}) {
  return draw(splitLines(text).map((line) => {
    if (/^(\+\+\+|---|diff |index |new file|deleted file|rename |similarity )/.test(line)) return { sign: '=', text: line };
    if (line.startsWith('@@')) return { sign: '@', text: line };
    if (line.startsWith('+') || line.startsWith('-')) return { sign: line[0], text: line.slice(1) };
    return { sign: ' ', text: line.replace(/^ /, '') };
  }), label);
}

const splitLines = (text) => {
  const lines = String(text ?? '').replace(/\r\n/g, '\n').split('\n');
  if (lines[lines.length - 1] === '') lines.pop();
  return lines;
};

/** Longest common subsequence, after what begins and ends the same. */
function compare(from, to) {
  let start = 0;
  while (start < from.length && start < to.length && from[start] === to[start]) start++;
  let end = 0;
  while (end < from.length - start && end < to.length - start && from[from.length - 1 - end] === to[to.length - 1 - end]) end++;
  const [a, b] = [from.slice(start, from.length - end), to.slice(start, to.length - end)];
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) lengths[i][j] = a[i] === b[j] ? lengths[i + 1][j + 1] + 1 : Math.max(lengths[i + 1][j], lengths[i][j + 1]);
  }
  const middle = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) { middle.push({ sign: ' ', text: a[i++] }); j++; }
    else if (j >= b.length || (i < a.length && lengths[i + 1][j] >= lengths[i][j + 1])) middle.push({ sign: '-', text: a[i++] });
    else middle.push({ sign: '+', text: b[j++] });
  }
  const same = (lines) => lines.map((text) => ({ sign: ' ', text }));
  return [...same(from.slice(0, start)), ...middle, ...same(from.slice(from.length - end))];
}

/** Long stretches without a change are folded. */
function folded(lines) {
  const near = new Set();
  lines.forEach((line, index) => { if (line.sign !== ' ') for (let at = index - CONTEXT; at <= index + CONTEXT; at++) near.add(at); });
  const result = [];
  let skipped = 0;
  const fold = () => { if (skipped > 0) result.push({ sign: '@', text: `${skipped} unchanged line${skipped === 1 ? '' : 's'}` }); skipped = 0; };
  lines.forEach((line, index) => { if (near.has(index)) { fold(); result.push(line); } else skipped++; });
  fold();
  return result;
}

const WORDS = { '+': 'added', '-': 'removed' };
const CLASSES = { '+': 'added', '-': 'removed', '@': 'place', '=': 'place', ' ': '' };

function draw(lines, label) {
  const added = lines.filter((line) => line.sign === '+').length;
  const removed = lines.filter((line) => line.sign === '-').length;
  const body = h('div', { class: 'diff', role: 'group', 'aria-label': label, tabindex: 0 });
  const render = (part) => part.forEach((line) => body.append(h('div', { class: ['diff-line', CLASSES[line.sign]] },
    h('span', { class: 'diff-sign', 'aria-hidden': 'true' }, line.sign === '=' ? ' ' : line.sign), WORDS[line.sign] && h('span', { class: 'sr' }, `${WORDS[line.sign]}: `),
    h('span', { class: 'diff-text' }, visible(line.text)))));
  render(lines.slice(0, LINES_SHOWN));
  const rest = lines.length - LINES_SHOWN;
  const button = rest > 0 && h('button', { class: 'button small', type: 'button', on: { click: () => { render(lines.slice(LINES_SHOWN)); button.remove(); } } }, `Show all (${rest} more lines)`);
  return h('div', { class: 'block-box' }, h('p', { class: 'diff-sum num' }, h('span', { class: 'plus' }, `+${added}`), ' ', h('span', { class: 'minus' }, `−${removed}`)), body, button);
}
