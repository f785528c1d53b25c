// The timeline of a room: every event once and in order, live, with resume and repair of gaps; filters, jump to a time, the
// raw event one press away. Only what can be seen is in the page. State in the address: show, run, actor, seq.

import { fill, h, show as setShown } from '../core/dom.js';
import { api, withQuery } from '../core/api.js';
import { followRoom } from '../core/live.js';
import { href } from '../core/router.js';
import { icon } from '../core/icons.js';
import { WindowedList } from '../core/list.js';
import { idTag, line, plain, shortID } from '../core/text.js';
import { day, timeOfDay } from '../core/time.js';
import { head } from '../parts/actions.js';
import { eventDetail } from '../parts/event.js';
import { field, segments, select } from '../parts/form.js';
import { filteredHistory, wholeHistory } from '../parts/history.js';
import { sentence } from '../parts/sentence.js';
import { empty } from '../parts/states.js';
import { say, toast } from '../parts/toast.js';

const NAMES_MAX = 5_000;
const KINDS = {
  '': ['All', null],
  runs: ['Runs', ['run.created', 'run.started', 'run.waiting', 'run.requeued', 'run.cancel_requested', 'run.cancelled', 'run.completed', 'run.failed', 'evidence.manifest.created']],
  steps: ['Steps', ['step.created', 'step.succeeded', 'step.failed', 'step.skipped', 'step.cancelled']],
  calls: ['Calls', ['tool.requested', 'tool.invoked', 'tool.succeeded', 'tool.failed', 'tool.unknown', 'tool.resolved']],
  approvals: ['Approvals', ['approval.requested', 'approval.decided', 'approval.consumed', 'approval.expired', 'policy.denied', 'policy.requires_approval']],
  messages: ['Messages', ['thread.created', 'message.created']],
  kept: ['Artifacts', ['artifact.created']],
  trouble: ['Trouble', ['run.failed', 'step.failed', 'tool.failed', 'tool.unknown', 'policy.denied', 'approval.expired', 'incident.opened', 'secret.leaked.detected', 'mistake.repeated']],
};

export async function show(view) {
  const id = view.params.room_id;
  const { room } = await api.get(`/v1/rooms/${encodeURIComponent(id)}`, { signal: view.signal });
  const names = new Map();
  const top = h('div');
  const side = h('div', { class: 'timeline-side', hidden: true });
  const news = h('button', { type: 'button', class: 'button small news-button', hidden: true, on: { click: () => { list.toEnd(); setShown(news, false); } } });
  const nothing = h('div', { hidden: true }, empty('No such event here', 'Choose other kinds, or take the run away from the filter.'));
  let source;
  let opened = null;
  let unseen = 0;
  let follower = null;

  const list = new WindowedList({
    label: `Events of ${plain(room.title, 80)}`,
    render: (index) => row(source.at(index), index),
    rowClass: (index) => (source.at(index) ? null : 'is-loading'),
    onRange: (from, to) => source?.need(from, to),
    onTop: () => source?.older(),
    onOpen: (index) => open(source.at(index)),
    onSelect: (index) => { if (opened) open(source.at(index), { isQuiet: true }); },
  });

  const row = (event, index) => {
    if (!event) return h('span', { class: 'faint num' }, `${index + 1} …`);
    const words = sentence(event, names);
    const date = day(event.recorded_at);
    return [
      h('span', { class: 'event-time num', title: event.recorded_at }, date === 'today' ? null : `${date.slice(5)} `, timeOfDay(event.recorded_at)),
      h('span', { class: ['event-icon', 'tone', words.tone, `depth-${words.depth}`] }, icon(words.icon)),
      h('span', { class: ['grow clip', /^(run\.(completed|failed|cancelled|created)|kill_switch|incident\.opened)/.test(event.event_type) && 'strong'] }, line(words.text, { max: 220 })),
      event.run_id && h('span', { class: 'event-run mono faint' }, shortID(event.run_id)),
      h('span', { class: 'event-seq num faint' }, event.stream_seq),
    ];
  };

  const open = (event, { isQuiet = false } = {}) => {
    if (!event) return;
    opened = event;
    view.setQuery({ seq: event.stream_seq }, { replace: true });
    fill(side, eventDetail(event, { names, onClose: close }));
    setShown(side, true);
    if (!isQuiet) list.element.focus({ preventScroll: true });
  };
  const close = () => {
    if (!opened) return;
    opened = null;
    setShown(side, false);
    view.setQuery({ seq: null }, { replace: true });
    list.element.focus({ preventScroll: true });
  };

  const changed = ({ before, isFilled }) => {
    if (isFilled) list.refill();
    else if (before) list.insertBefore(before);
    else if (source.count !== list.count) list.setCount(source.count);
    else list.refresh();
    setShown(nothing, source.count === 0);
    setShown(list.element, source.count > 0);
  };

  const begin = async () => {
    follower?.abort();
    follower = new AbortController();
    const signal = AbortSignal.any([view.signal, follower.signal]);
    const query = view.query.pick('actor', 'run');
    const kind = KINDS[view.query.text('show')]?.[1] ?? null;
    const filter = { ...(kind ? { event_types: kind } : {}), ...(query.actor ? { actor_type: query.actor } : {}), ...(query.run ? { run_id: query.run } : {}) };
    const matches = (event) => (!kind || kind.includes(event.event_type)) && (!query.actor || event.actor_type === query.actor) && (!query.run || event.run_id === query.run);
    const options = { room: id, signal, onChange: (change) => { if (!signal.aborted) changed(change); } };
    const made = Object.keys(filter).length === 0 ? wholeHistory(options) : filteredHistory({ ...options, query: filter, matches });
    source = made;
    await made.start();
    if (signal.aborted) return;
    list.count = 0;
    list.selected = -1;
    changed({});
    list.toEnd();
    followRoom(id, { from: made.lastSeq, signal, onEvents: (events) => {
      const wasAtEnd = list.isAtEnd;
      for (const event of events) if (names.size < NAMES_MAX) sentence(event, names);
      const before = made.count;
      made.add(events);
      unseen = wasAtEnd ? 0 : unseen + made.count - before;
      setShown(news, unseen > 0);
      if (unseen > 0) fill(news, `${unseen} new`, icon('down'));
    } });
    const seq = view.query.number('seq');
    if (seq) { const index = made.indexOf(seq); if (index >= 0) { list.select(index, { centre: true }); const event = made.at(index) ?? await one(seq); if (event) open(event, { isQuiet: true }); } }
  };

  const one = async (seq) => (await api.get('/v1/events', { query: { stream_type: 'room', stream_id: id, from_seq: seq - 1, limit: 1 }, signal: view.signal })).events[0];

  const change = (what) => { view.setQuery({ ...what, seq: null }); close(); drawTop(); begin(); };

  const jump = async (text) => {
    const at = new Date(text);
    if (Number.isNaN(at.getTime())) return;
    try {
      list.sticks = false;
      const index = await source.indexAt(at.toISOString());
      list.select(index, { centre: true });
      list.element.focus();
      say(`At ${timeOfDay(at)}`);
    } catch (error) { toast(String(error.message), 'error'); }
  };

  const drawTop = () => {
    const run = view.query.text('run');
    const time = field({ label: 'Jump to', isInline: true, input: h('input', { type: 'datetime-local', step: 1, on: { change: (event) => jump(event.target.value) } }) });
    fill(top, head(view, {
      title: room.title, shown: line(room.title), sub: [idTag(room.room_id, { name: 'room id' }), h('a', { href: href('/runs', { room_id: id }) }, 'Runs'), h('a', { href: href(`/rooms/${id}/threads`) }, 'Threads'), h('a', { href: href('/runs/new', { room: id }) }, 'New run'), room.topic && line(room.topic, { max: 200 })],
      api: withQuery('/v1/events', { stream_type: 'room', stream_id: id, run_id: run }), aos: run ? `aos events --run ${run} --follow` : `aos events --room ${id} --follow`,
    }), h('div', { class: 'filters' },
      segments({ label: 'Which events', options: Object.entries(KINDS).map(([key, [word]]) => [key, word]), value: view.query.text('show'), onChange: (value) => change({ show: value }) }),
      select({ label: 'By', isInline: true, value: view.query.text('actor'), options: [['', 'anybody'], ['user', 'people'], ['agent', 'agents'], ['service', 'services']], on: { change: (event) => change({ actor: event.target.value }) } }).element,
      time.element,
      run && h('button', { type: 'button', class: 'button small', on: { click: () => change({ run: null }) } }, 'Run ', shortID(run), ' ×')));
  };

  view.root.classList.add('full');
  drawTop();
  fill(view.root, top, h('div', { class: 'timeline' }, h('div', { class: 'timeline-main' }, list.element, nothing, news), side));
  view.place();
  await begin();
  list.element.addEventListener('scroll', () => { if (list.isAtEnd) { unseen = 0; list.sticks = true; setShown(news, false); } }, { passive: true });
  view.keys({
    j: { says: 'Next event', run: () => { list.element.focus(); list.move(1); } },
    k: { says: 'Previous event', run: () => { list.element.focus(); list.move(-1); } },
    o: { says: 'Open the event', run: () => { if (list.selected >= 0) open(source.at(list.selected)); } },
    Escape: { says: 'Close the event', run: close },
    G: { says: 'To the end', run: () => list.toEnd() },
    r: { says: 'Only this event’s run', run: () => { const run = source.at(list.selected)?.run_id; if (run) change({ run }); } },
  });
  view.onQuery(() => { drawTop(); begin(); });
  view.onLeave(() => { follower?.abort(); list.stop(); });
}
