// One event in full: what it says, who, when, what caused it, its hashes and the raw thing.
//
//   eventDetail(event, { onClose })

import { fill, h } from '../core/dom.js';
import { api } from '../core/api.js';
import { href } from '../core/router.js';
import { icon } from '../core/icons.js';
import { idTag, line } from '../core/text.js';
import { exact } from '../core/time.js';
import { json } from './json.js';
import { sentence } from './sentence.js';
import { facts } from './table.js';

/** @param {Object} event a row of a list or a stream @param {{names?: Map<string, string>, onClose?: function(): void}} [options] */
export function eventDetail(event, { names, onClose } = {}) {
  const words = sentence(event, names);
  const rest = h('div', { class: 'stack tight' });
  const box = h('section', { class: 'card event-detail', 'aria-label': 'The event', data: { key: 'event-detail' } },
    h('div', { class: 'card-head' }, h('span', { class: [words.tone, 'tone'] }, icon(words.icon)), h('h2', { class: 'mono', tabindex: -1 }, event.event_type),
      onClose && h('button', { type: 'button', class: 'icon-button', 'aria-label': 'Close the event', on: { click: onClose } }, '×')),
    h('div', { class: 'card-body stack' },
      h('p', null, line(words.text, { max: 600 })),
      facts([
        ['When', exact(event.recorded_at)],
        ['Who', line(`${event.actor_type}:${event.actor_id}`)],
        ['Run', event.run_id && idTag(event.run_id, { href: href(`/runs/${event.run_id}`) })],
        ['Step', event.step_id && idTag(event.step_id)],
        ['Approval', event.data?.approval_id && idTag(event.data.approval_id, { href: href(`/approvals/${event.data.approval_id}`) })],
        ['Place', h('span', { class: 'num' }, `${event.stream_type} ${event.stream_seq}, log ${event.global_seq}`)],
        ['Caused by', event.causation_id && idTag(event.causation_id, { href: href(`/events/${event.causation_id}`) })],
        ['Belongs to', event.correlation_id && idTag(event.correlation_id, { href: href('/inspector', { correlation_id: event.correlation_id }) })],
        ['Event', idTag(event.event_id, { href: href(`/events/${event.event_id}`) })],
      ]),
      h('h3', null, 'Data'), json(event.data, { label: 'Data', open: 3 }), rest));
  api.get(`/v1/events/${event.event_id}`).then(({ event: whole }) => {
    const { data: _, ...envelope } = whole;
    fill(rest, whole.policy_context && Object.keys(whole.policy_context).length > 0 && [h('h3', null, 'Policy'), json(whole.policy_context, { label: 'Policy', open: 3 })],
      h('h3', null, 'Raw event'), json(envelope, { label: 'Raw event', open: 1 }), h('p', null, h('a', { href: `/v1/events/${event.event_id}`, data: { plain: '' } }, 'As JSON')));
  }).catch(() => {});
  return box;
}
