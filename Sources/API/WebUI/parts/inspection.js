// An event as the inspector shows it: what it says, what led to it and what it led to, the policy decision, the hash chain,
// what was kept out of it, the raw thing.
//
//   const { whole, before, after } = await readEvent(id, { signal });
//   inspection({ whole, before, after, signal, names })      the cards

import { fill, h } from '../core/dom.js';
import { api, session } from '../core/api.js';
import { href } from '../core/router.js';
import { icon } from '../core/icons.js';
import { idTag, line, visible } from '../core/text.js';
import { ago, clock, exact } from '../core/time.js';
import { chainCard } from './chain.js';
import { json } from './json.js';
import { policyCard } from './policy.js';
import { sentence } from './sentence.js';
import { facts } from './table.js';

const CAUSES_MAX = 12;
const EFFECTS_READ_MAX = 1_000;
const EFFECTS_SHOWN = 12;

/** What a person may see beyond the workspace's own events. */
export const systemToo = () => (session.current?.is_operator ? 1 : null);

/** An event with its hashes, and its neighbours in the stream. @param {string} id @param {{signal: AbortSignal}} options */
export async function readEvent(id, { signal }) {
  const { event: whole } = await api.get(`/v1/events/${encodeURIComponent(id)}`, { signal });
  const beside = async (seq) => {
    if (seq < 1) return null;
    const { events } = await api.get('/v1/events', { query: { stream_type: whole.stream_type, stream_id: whole.stream_id, from_seq: seq - 1, limit: 1, include_system: systemToo() }, signal });
    if (events[0]?.stream_seq !== seq) return null;
    return (await api.get(`/v1/events/${events[0].event_id}`, { signal })).event;
  };
  const [before, after] = await Promise.all([beside(whole.stream_seq - 1).catch(() => null), beside(whole.stream_seq + 1).catch(() => null)]);
  return { whole, before, after };
}

/** @param {{whole: Object, before: ?Object, after: ?Object, signal: AbortSignal, names?: Map<string, string>}} of @returns {Array<HTMLElement>} */
export function inspection({ whole, before, after, signal, names = new Map() }) {
  const { data, policy_context: policy, model_context: model, display, ...envelope } = whole;
  const redactions = h('div', { hidden: true });
  if (whole.contains_secrets || whole.event_type === 'secret.leaked.detected') showRedactions(whole, redactions, signal);
  const part = (title, value) => value && Object.keys(value).length > 0 && h('section', { class: 'stack tight' }, h('h3', null, title), json(value, { label: title, open: 2 }));
  return [
    h('section', { class: 'card', 'aria-label': 'What it is' }, h('div', { class: 'card-body' }, facts([
      ['When', [exact(whole.recorded_at), ' ', h('span', { class: 'muted' }, ago(whole.recorded_at))]],
      ['Happened', whole.occurred_at !== whole.recorded_at && exact(whole.occurred_at)],
      ['Who', line(`${whole.actor_type}:${whole.actor_id}`)],
      ['Zone', whole.zone && h('code', null, visible(whole.zone))],
      ['Room', whole.room_id && idTag(whole.room_id, { href: href(`/rooms/${whole.room_id}`, { seq: whole.stream_type === 'room' ? whole.stream_seq : null }), name: 'room id' })],
      ['Thread', whole.thread_id && idTag(whole.thread_id, { href: href(`/threads/${whole.thread_id}`), name: 'thread id' })],
      ['Run', whole.run_id && idTag(whole.run_id, { href: href(`/runs/${whole.run_id}`, { at_seq: whole.global_seq }), name: 'run id' })],
      ['Step', whole.step_id && [idTag(whole.step_id, { name: 'step id' }), names.has(whole.step_id) && h('span', { class: 'muted' }, ' ', line(names.get(whole.step_id)))]],
      ['Approval', data?.approval_id && idTag(data.approval_id, { href: href(`/approvals/${data.approval_id}`), name: 'approval id' })],
      ['Incident', data?.incident_id && idTag(data.incident_id, { href: href(`/incidents/${data.incident_id}`), name: 'incident id' })],
      ['Belongs to', whole.correlation_id && idTag(whole.correlation_id, { href: href('/inspector', { correlation_id: whole.correlation_id, event_id: whole.event_id }), name: 'correlation id' })],
      ['Place', h('span', { class: 'num' }, `${whole.stream_type} ${whole.stream_seq}, log ${whole.global_seq}`)],
      ['Event', idTag(whole.event_id, { name: 'event id' })],
    ]))),
    policyCard(whole),
    causation(whole, names, signal),
    redactions,
    h('section', { class: 'card', 'aria-label': 'What it holds' }, h('div', { class: 'card-head' }, h('h2', null, 'Data')),
      h('div', { class: 'card-body stack' }, data && Object.keys(data).length > 0 ? json(data, { label: 'Data', open: 3 }) : h('p', { class: 'muted' }, 'Nothing, or it was erased.'),
        part('Policy context', policy), part('Model context', model), part('Display', display),
        h('details', { data: { key: 'raw' } }, h('summary', null, 'The raw envelope'), json(envelope, { label: 'Raw event', open: 1 })))),
    chainCard({ event: whole, before, after, signal }),
  ].filter(Boolean);
}

/** What led to it, back to the first cause, and what it led to. */
function causation(whole, names, signal) {
  const box = h('div', { class: 'card-body stack tight' }, h('p', { class: 'muted' }, 'Reading …'));
  (async () => {
    const causes = [];
    for (let id = whole.causation_id; id && causes.length < CAUSES_MAX;) {
      const found = await api.get(`/v1/events/${encodeURIComponent(id)}`, { signal }).then((answer) => answer.event).catch(() => null);
      if (!found) break;
      causes.unshift(found);
      id = found.causation_id;
    }
    const belonging = whole.correlation_id ? await api.all('/v1/events', 'events', { query: { correlation_id: whole.correlation_id, cursor: whole.global_seq, include_system: systemToo(), limit: 500 }, signal, max: EFFECTS_READ_MAX }).catch(() => []) : [];
    const effects = belonging.filter((event) => event.causation_id === whole.event_id);
    const isCut = causes[0]?.causation_id;
    fill(box,
      causes.length > 0 ? h('ol', { class: 'causes', 'aria-label': 'What led to it' }, isCut && h('li', { class: 'muted' }, '… earlier causes are in the inspector'), causes.map((event) => cause(event, names)), cause(whole, names, true))
        : h('p', { class: 'muted' }, 'Nothing before it: it is a first cause.'),
      effects.length > 0 && [h('h3', null, `It led to ${effects.length}`), h('ul', { class: 'causes effects' }, effects.slice(0, EFFECTS_SHOWN).map((event) => cause(event, names)))],
      h('p', null, h('a', { href: href('/inspector', { correlation_id: whole.correlation_id, event_id: whole.event_id }) }, 'See all of it as a tree')));
  })().catch(() => {});
  return h('section', { class: 'card', 'aria-label': 'Cause and effect' }, h('div', { class: 'card-head' }, h('h2', null, 'Why')), box);
}

function cause(event, names, isThis = false) {
  const words = sentence(event, names);
  return h('li', { class: [words.tone, isThis && 'this'] }, h('span', { class: 'tone' }, icon(words.icon)),
    h('span', { class: 'grow' }, isThis ? h('b', null, line(words.text, { max: 160 })) : h('a', { href: href(`/events/${event.event_id}`) }, line(words.text, { max: 160 })), isThis && h('span', { class: 'muted' }, ' (this one)')),
    h('span', { class: 'faint nowrap' }, clock(event.recorded_at)));
}

async function showRedactions(event, box, signal) {
  try {
    const { redactions } = await api.get('/v1/audit/redactions', { query: { event_id: event.data?.source_event_id ?? event.event_id, limit: 50 }, signal });
    if (redactions.length === 0) return;
    fill(box, h('section', { class: 'card', 'aria-label': 'Kept out' }, h('div', { class: 'card-head' }, h('h2', null, 'Kept out of it')),
      h('ul', { class: 'lines' }, redactions.map((one) => h('li', null, icon('ban'), h('code', null, visible(one.rule_id)), h('span', { class: 'grow muted' }, line(one.match_preview, { max: 60 })), h('span', { class: 'faint' }, visible(one.detector_version)))))));
    box.hidden = false;
  } catch { /* It is a detail; the event stands without. */ }
}
