// What somebody has said. It is shown as it was written: Markdown and HTML stay text, addresses are marked, only fences make
// blocks of their own.
//
//   message(of, { parent, isMarked, onReply })

import { h } from '../core/dom.js';
import { href } from '../core/router.js';
import { icon } from '../core/icons.js';
import { block, idTag, line, linked, plain } from '../core/text.js';
import { ago } from '../core/time.js';

const CHARS_MAX = 12_000;
const WHO = { user: ['accent', 'person'], agent: ['odd', 'agent'], service: ['idle', 'service'] };
const FENCE = /^```[^\n`]*\n([\s\S]*?)\n?^```[ \t]*$/gmu;

/** Text and fenced blocks, in their order. @param {string} text @returns {Array<{isBlock: boolean, text: string}>} */
export function pieces(text) {
  const result = [];
  let from = 0;
  const say = (part) => { const kept = part.replace(/^\n+|\s+$/g, ''); if (kept) result.push({ isBlock: false, text: kept }); };
  for (const match of text.matchAll(FENCE)) {
    say(text.slice(from, match.index));
    result.push({ isBlock: true, text: match[1] });
    from = match.index + match[0].length;
  }
  say(text.slice(from));
  return result;
}

/** @param {Object} of @param {{parent?: ?Object, isMarked?: boolean, onReply?: ?function(Object): void}} [options] */
export function message(of, { parent, isMarked = false, onReply } = {}) {
  const [tone, word] = WHO[of.sender_type] ?? ['idle', of.sender_type];
  const text = String(of.content_md ?? '');
  const isLong = text.length > CHARS_MAX;
  return h('li', { class: ['message', `by-${tone}`, isMarked && 'marked'], id: of.message_id, tabindex: -1, data: { row: '', key: of.message_id } },
    h('header', { class: 'message-head' }, h('b', { tabindex: -1 }, line(of.sender_id, { max: 60 })), h('span', { class: 'faint' }, plain(word, 20)), ago(of.created_at),
      of.run_id && h('a', { class: 'muted', href: href(`/runs/${of.run_id}`) }, 'run'),
      (of.labels ?? []).map((label) => h('span', { class: 'label-tag' }, line(label, { max: 40 }))),
      h('span', { class: 'message-tools' }, idTag(of.message_id, { name: 'message id', href: href('/inspector', { event_id: of.last_event_id }) }),
        onReply && h('button', { type: 'button', class: 'button small quiet reply', 'aria-label': `Reply to ${plain(of.sender_id, 60)}`, on: { click: () => onReply(of) } }, icon('back'), 'Reply'))),
    of.parent_message_id && h('p', { class: 'message-parent muted' }, icon('back'), parent ? [h('b', null, line(parent.sender_id, { max: 40 })), ' ', line(parent.content_md, { max: 100 })] : ['an earlier message ', idTag(of.parent_message_id)]),
    of.deleted ? h('p', { class: 'muted' }, 'It was taken back.')
      : isLong ? block(text, { links: true, label: 'The message' })
        : pieces(text).map((piece) => piece.isBlock ? block(piece.text, { links: true, label: 'A block of the message' }) : h('p', { class: 'said', dir: 'auto' }, linked(piece.text))));
}
