// Checks of the history that are made when somebody asks: every hash of the log, and the read models against a fresh fold.
//
//   auditCard({ signal, isOperator })

import { fill, h } from '../core/dom.js';
import { api } from '../core/api.js';
import { href } from '../core/router.js';
import { icon } from '../core/icons.js';
import { line, visible } from '../core/text.js';
import { duration } from '../core/time.js';
import { command } from './command.js';
import { note, sentenceOf } from './states.js';

const FAULTS_SHOWN = 20;
const some = (count, one) => `${count.toLocaleString('en')} ${one}${count === 1 ? '' : 's'}`;

/** @param {{signal: AbortSignal, isOperator: boolean}} of */
export function auditCard({ signal, isOperator }) {
  const checks = [
    { title: 'The whole log', text: 'Recomputes every hash, every link, the heads, and compares them with the head file beside the database.', button: 'Verify the log', aos: 'aos verify', run: () => api.get('/v1/audit/verify', { signal }), says: logSays },
    { title: 'The read models', text: 'Folds the whole history again and compares the result with the live tables, byte for byte.', button: 'Compare them', aos: 'aos projections rebuild --check', run: () => api.post('/v1/projections/check', {}, { signal }), says: foldSays },
  ];
  return h('section', { class: 'card', 'aria-label': 'Proof on demand' }, h('div', { class: 'card-head' }, h('h2', null, 'Proof on demand')),
    h('div', { class: 'card-body stack' }, isOperator ? checks.map((one) => check(one, signal)) : h('p', { class: 'muted' }, 'The machine’s operator can verify the whole log here. The hash chain of a stream is on the page of each of its events.')));
}

function check({ title, text, button: word, aos, run, says }, signal) {
  const result = h('div', { 'aria-live': 'polite' });
  const button = h('button', { type: 'button', class: 'button', on: { click: async () => {
    button.disabled = true;
    fill(result, h('p', { class: 'muted' }, 'Reading the history …'));
    const began = performance.now();
    try { fill(result, says(await run(), performance.now() - began, aos)); } catch (error) { if (!signal.aborted) fill(result, note('fail', h('p', null, sentenceOf(error)), command(aos))); }
    button.disabled = false;
  } } }, icon('link'), word);
  return h('div', { class: 'stack tight' }, h('div', { class: 'spread' }, h('div', { class: 'grow' }, h('h3', null, title), h('p', { class: 'muted' }, text)), button), result);
}

function logSays(found, ms, aos) {
  const file = found.head_file;
  if (found.valid && file?.consistent !== false) {
    return note('ok', h('p', null, h('b', null, `All ${some(found.events, 'event')} in ${some(found.streams, 'stream')} hold.`), ` Checked in ${duration(ms)}.`, found.erased > 0 && ` ${some(found.erased, 'payload')} erased; their digests stand.`),
      file && h('p', { class: 'muted' }, 'Head file ', h('code', null, visible(file.path)), ': ', line(file.detail, { max: 300 }), '.'));
  }
  return note('fail', h('p', null, h('b', null, found.faults.length > 0 ? `The history is not what it was: ${some(found.faults.length, 'fault')}.` : 'The head file does not fit the log.')),
    h('ul', { class: 'stack tight' }, found.faults.slice(0, FAULTS_SHOWN).map((fault) => h('li', null, h('code', null, visible(fault.kind)), ' ', line(`${fault.stream_type} ${fault.stream_id}, ${fault.stream_seq}`), ': ', line(fault.detail, { max: 300 }), fault.event_id && [' ', h('a', { href: href(`/events/${fault.event_id}`) }, 'Show it')]))),
    file && !file.consistent && h('p', null, 'Head file ', h('code', null, visible(file.path)), ': ', line(file.detail, { max: 300 })), command(aos));
}

function foldSays(found, ms, aos) {
  if (found.equal) return note('ok', h('b', null, `All ${some(found.tables.length, 'table')} equal a fresh fold of ${some(found.events, 'event')}.`), ` Checked in ${duration(ms)}.`);
  const wrong = found.tables.filter((table) => table.live_digest !== table.rebuilt_digest);
  return note('fail', h('p', null, h('b', null, `${some(wrong.length, 'table')} differ from the history.`)),
    h('ul', { class: 'stack tight' }, wrong.map((table) => h('li', null, h('code', null, visible(table.table)), ': ', line(table.first_difference ?? `${table.live_rows} rows, expected ${table.rebuilt_rows}`, { max: 300 })))), command(aos));
}
