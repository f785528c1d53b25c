// The state of anything, as icon, word and colour (never colour alone).
//
//   status('running')        a badge           statusIcon('failed')     the icon with the word for a screen reader

import { h } from '../core/dom.js';
import { icon } from '../core/icons.js';

/** state → [tone, icon, word]; tones are classes: ok fail wait run odd idle */
const STATES = {
  queued: ['idle', 'circle', 'queued'],
  running: ['run', 'play', 'running'],
  waiting: ['wait', 'clock', 'waiting'],
  succeeded: ['ok', 'check', 'succeeded'],
  failed: ['fail', 'cross', 'failed'],
  cancelled: ['idle', 'stop', 'cancelled'],
  skipped: ['idle', 'dash', 'skipped'],
  unknown: ['odd', 'ask', 'outcome unknown'],
  planned: ['idle', 'circle', 'not started'],
  pending: ['wait', 'ask', 'waits for you'],
  held: ['odd', 'pause', 'on hold'],
  approved: ['ok', 'check', 'approved'],
  denied: ['fail', 'ban', 'denied'],
  expired: ['idle', 'clock', 'expired'],
  open: ['wait', 'alert', 'open'],
  closed: ['idle', 'check', 'closed'],
  allow: ['ok', 'check', 'allowed'],
  require_approval: ['wait', 'stamp', 'needs approval'],
  deny: ['fail', 'ban', 'denied'],
  active: ['ok', 'check', 'active'],
  inactive: ['idle', 'stop', 'inactive'],
};

const of = (state) => STATES[state] ?? ['idle', 'dot', String(state ?? 'unknown')];

/** @param {string} state @param {string} [word] in the place of the usual one */
export function status(state, word) {
  const [tone, name, usual] = of(state);
  return h('span', { class: ['status', tone, state === 'running' && 'running'] }, icon(name), word ?? usual);
}

/** @param {string} state */
export function statusIcon(state) {
  const [tone, name, word] = of(state);
  return h('span', { class: ['status bare', tone, state === 'running' && 'running'], title: word }, icon(name), h('span', { class: 'sr' }, word));
}

/** @param {string} state @returns {{tone: string, icon: string, word: string}} */
export function statusOf(state) {
  const [tone, name, word] = of(state);
  return { tone, icon: name, word };
}
