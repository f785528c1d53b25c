// The hash chain around an event, and the state of its whole stream as the api recomputes it.
//
//   chainCard({ event, before, after, signal })     `before`, `after`: the neighbours in the stream with their hashes, or null
//   verifyStream(type, id, { signal, onProgress })  { valid, checked, erased, last_stream_seq, first_mismatch }

import { fill, h } from '../core/dom.js';
import { api } from '../core/api.js';
import { href } from '../core/router.js';
import { icon } from '../core/icons.js';
import { copyButton, line, visible } from '../core/text.js';
import { command } from './command.js';
import { note, sentenceOf } from './states.js';

const PAGE = 10_000;
const PAGES_MAX = 200;
const AROUND = 100;
const HASH_SHOWN = 10;

const short = (hash) => hash ? `${String(hash).replace(/^sha256:/, '').slice(0, HASH_SHOWN)}…` : 'none';

/** Recomputes every hash of a stream, page by page. @param {string} type @param {string} id
 *  @param {{signal: AbortSignal, from?: number, max?: number, onProgress?: function(Object): void}} options */
export async function verifyStream(type, id, { signal, from = 0, max = Infinity, onProgress = () => {} }) {
  const sum = { valid: true, checked: 0, erased: 0, last_stream_seq: from, first_mismatch: null };
  for (let page = 0, seq = from; page < PAGES_MAX; page++) {
    const part = await api.get('/v1/audit/hash-chain/verify', { query: { stream_type: type, stream_id: id, from_seq: seq, limit: Math.min(PAGE, max - sum.checked) }, signal });
    sum.checked += part.checked;
    sum.erased += part.erased;
    sum.last_stream_seq = part.last_stream_seq;
    if (!part.valid) return { ...sum, valid: false, first_mismatch: part.first_mismatch };
    onProgress(sum);
    if (!part.truncated || part.checked === 0 || sum.checked >= max) return sum;
    seq += part.checked;
  }
  return sum;
}

/** @param {{event: Object, before: ?Object, after: ?Object, signal: AbortSignal}} of */
export function chainCard({ event, before, after, signal }) {
  const state = h('div', { class: 'stack tight', 'aria-live': 'polite' });
  const { stream_type: type, stream_id: id, stream_seq: seq } = event;
  const check = async (isWhole) => {
    fill(state, h('p', { class: 'muted' }, 'Recomputing hashes …'));
    try {
      const from = isWhole ? 0 : Math.max(0, seq - AROUND);
      const found = await verifyStream(type, id, { signal, from, max: isWhole ? Infinity : 2 * AROUND, onProgress: (sum) => fill(state, h('p', { class: 'muted num' }, `Recomputing hashes … ${sum.checked.toLocaleString('en')}`)) });
      const isAll = isWhole || (from === 0 && found.checked < 2 * AROUND);
      fill(state, verdict(found, isAll), !isAll && h('p', null, h('button', { type: 'button', class: 'button small', on: { click: () => check(true) } }, 'Check the whole stream')));
    } catch (error) { if (!signal.aborted) fill(state, h('p', { class: 'field-error' }, sentenceOf(error))); }
  };
  check(false);
  return h('section', { class: 'card', 'aria-label': 'Hash chain' },
    h('div', { class: 'card-head' }, h('h2', null, 'Hash chain')),
    h('div', { class: 'card-body stack' },
      h('ol', { class: 'chain' },
        before ? ring(before, 'before it', before.event_hash) : h('li', { class: 'ring-of start' }, h('span', { class: 'muted' }, 'the stream begins here')),
        link(event.prev_event_hash ?? null, before ? before.event_hash : null, !before && seq > 1),
        ring(event, 'this event', event.event_hash, true),
        after && [link(after.prev_event_hash, event.event_hash), ring(after, 'after it', after.event_hash)]),
      state,
      h('details', null, h('summary', null, 'The hashes in full'), h('dl', { class: 'facts hashes' }, [
        ['Payload', event.payload_digest], ['Event before', event.prev_event_hash], ['This event', event.event_hash],
      ].map(([name, hash]) => h('div', null, h('dt', null, name), h('dd', null, hash ? [h('code', { class: 'hash' }, visible(hash)), copyButton(hash, `Copy: ${name}`)] : 'none')))))));
}

const ring = (event, what, hash, isThis = false) => h('li', { class: ['ring-of', isThis && 'this'] },
  h('span', { class: 'faint' }, what), isThis ? h('b', { class: 'num' }, event.stream_seq) : h('a', { class: 'num', href: href(`/events/${event.event_id}`) }, event.stream_seq),
  h('code', { title: hash ?? '' }, short(hash)));

/** Whether what an event says of the one before it is so. */
function link(says, is, isUnknown = false) {
  const [tone, name, word] = isUnknown ? ['idle', 'ask', 'not read'] : says === is ? ['ok', 'check', 'fits'] : ['fail', 'cross', 'does not fit'];
  return h('li', { class: ['link-of tone', tone] }, icon(name), word);
}

function verdict(found, isAll) {
  const count = found.checked.toLocaleString('en');
  if (!found.valid) {
    const fault = found.first_mismatch ?? {};
    return note('fail', h('p', null, h('b', null, `The chain breaks at ${fault.stream_seq ?? '?'}: `), line(fault.detail ?? fault.kind ?? 'a hash differs', { max: 500 })), command('aos verify'));
  }
  return note('ok', h('b', null, isAll ? `All ${count} events of this stream hold` : `The ${count} events around this one hold`), ': every hash was recomputed just now.',
    found.erased > 0 && ` ${found.erased} payload${found.erased === 1 ? ' was' : 's were'} erased; their digests stand.`);
}
