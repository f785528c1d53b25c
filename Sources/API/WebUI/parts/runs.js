// Runs as rows, the same on every page that lists them.
//
//   runTable(runs, { rooms: Map(room_id → title), label: 'Runs' })       runName(run)       stillGoing(run)

import { fragment, h } from '../core/dom.js';
import { href } from '../core/router.js';
import { idTag, line, shortID } from '../core/text.js';
import { ago, between, duration, since } from '../core/time.js';
import { statusIcon, status } from './status.js';
import { waitText } from './sentence.js';
import { table } from './table.js';

const ENDED = ['succeeded', 'failed', 'cancelled'];

/** @param {Object} run */
export const runName = (run) => run.title || run.goal || shortID(run.run_id);
/** @param {Object} run */
export const stillGoing = (run) => !ENDED.includes(run.status);

/** How long it took, or has been going. @param {Object} run */
export function took(run) {
  if (!run.started_at) return h('span', { class: 'faint' }, '–');
  return run.ended_at ? h('span', { class: 'num' }, duration(between(run.started_at, run.ended_at))) : since(run.started_at);
}

/** What to know besides the state: what it waits for, why it failed. @param {Object} run */
export function runNote(run) {
  if (run.status === 'waiting') return run.waits.map(waitText).join('; ');
  if (run.status === 'failed') return run.summary ?? run.error?.message ?? run.error?.code ?? '';
  if (run.cancel_requested_at && stillGoing(run)) return 'is being cancelled';
  return '';
}

/** @param {Array<Object>} runs @param {{rooms?: Map<string, string>, label?: string}} [options] */
export function runTable(runs, { rooms = new Map(), label = 'Runs' } = {}) {
  return table({
    label, rows: runs, key: (run) => run.run_id,
    columns: [
      { head: 'State', cell: (run) => status(run.status), class: 'tight from-tablet' },
      { head: 'Run', class: 'main', cell: (run) => fragment(h('span', { class: 'until-tablet' }, statusIcon(run.status), ' '), h('a', { href: href(`/runs/${run.run_id}`) }, line(runName(run), { max: 140 })), runNote(run) && h('span', { class: 'muted' }, '  ', line(runNote(run), { max: 160 }))) },
      { head: 'Room', from: 'desk', class: 'tight', cell: (run) => run.room_id ? h('a', { class: 'muted room-name clip', href: href(`/rooms/${run.room_id}`) }, line(rooms.get(run.room_id) ?? shortID(run.room_id), { max: 40 })) : '' },
      { head: 'Id', from: 'desk', class: 'tight', cell: (run) => idTag(run.run_id, { name: 'run id' }) },
      { head: 'Took', end: true, from: 'tablet', cell: took },
      { head: 'Last change', end: true, cell: (run) => ago(run.activity_at) },
    ],
  });
}
