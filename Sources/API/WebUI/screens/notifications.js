// Notifications: of every room what has happened behind one's read mark, rooms with something new first. A mark is the room's
// number up to which everything was seen; it only moves forward.

import { h, redraw } from '../core/dom.js';
import { api, session } from '../core/api.js';
import { href } from '../core/router.js';
import { icon } from '../core/icons.js';
import { line } from '../core/text.js';
import { ago } from '../core/time.js';
import { head } from '../parts/actions.js';
import { segments } from '../parts/form.js';
import { runName } from '../parts/runs.js';
import { sentence } from '../parts/sentence.js';
import { empty, sentenceOf } from '../parts/states.js';
import { toast } from '../parts/toast.js';

const ROOMS_MAX = 200;
const AT_ONCE = 6;
const SHOWN = 8;
const SHOWN_MORE = 100;
const END_OF_TIME = '9999-01-01T00:00:00.000Z';
// What a person would want to be told; at most twenty types fit into one question.
const TOLD = ['run.created', 'run.completed', 'run.failed', 'run.cancelled', 'approval.requested', 'approval.decided', 'approval.expired', 'message.created', 'thread.created', 'artifact.created',
  'incident.opened', 'incident.closed', 'tool.unknown', 'policy.denied', 'secret.leaked.detected', 'mistake.repeated', 'room.created', 'engine.deactivated', 'kill_switch.engaged', 'kill_switch.lifted'];

export async function show(view) {
  const unfolded = new Set();
  const titles = new Map();
  const rows = h('div', { class: 'stack' });
  const top = h('div');
  let feeds = [];

  /** A stream of events, with what is new in it. */
  const readFeed = async (feed, marks) => {
    const mark = marks[feed.id] ?? 0;
    const query = { stream_type: feed.type, stream_id: feed.id, before_recorded_at: END_OF_TIME };
    const end = await api.get('/v1/events', { query: { ...query, limit: 1 }, signal: view.signal });
    const last = end.events[0];
    const unread = Math.max(0, (last?.stream_seq ?? 0) - mark);
    const limit = unfolded.has(feed.id) ? SHOWN_MORE : SHOWN;
    const found = unread === 0 ? [] : (await api.get('/v1/events', { query: { ...query, from_seq: mark, limit: limit + 1, ...(view.query.flag('all') ? {} : { event_types: TOLD }) }, signal: view.signal })).events;
    return { ...feed, mark, last, unread, hasMore: found.length > limit, events: found.slice(-limit).reverse() };
  };

  const load = async () => {
    const [rooms, { marks }, { runs }] = await Promise.all([api.all('/v1/rooms', 'rooms', { signal: view.signal, max: ROOMS_MAX }), api.get('/v1/ui/marks', { signal: view.signal }), api.get('/v1/runs', { query: { limit: 200 }, signal: view.signal })]);
    for (const run of runs) titles.set(run.run_id, runName(run));
    const wanted = [...rooms.map((room) => ({ type: 'room', id: room.room_id, title: room.title })), { type: 'workspace', id: session.workspace, title: 'Outside of rooms' }];
    const read = [];
    const waiting = [...wanted];
    const next = async () => { for (let feed = waiting.shift(); feed; feed = waiting.shift()) read.push(await readFeed(feed, marks)); };
    await Promise.all(Array.from({ length: AT_ONCE }, next));
    feeds = read.sort((a, b) => (b.unread > 0) - (a.unread > 0) || (b.last?.recorded_at ?? '').localeCompare(a.last?.recorded_at ?? ''));
    draw();
  };

  const markRead = async (some) => {
    const marks = Object.fromEntries(some.filter((feed) => feed.unread > 0).map((feed) => [feed.id, feed.last.stream_seq]));
    if (Object.keys(marks).length === 0) return;
    try {
      await api.post('/v1/ui/marks', { marks });
      toast(some.length === 1 ? 'Marked as read' : `${Object.keys(marks).length} marked as read`, 'ok');
      await load();
    } catch (error) { toast(sentenceOf(error), 'error'); }
  };

  const draw = () => {
    const fresh = feeds.filter((feed) => feed.unread > 0);
    const old = feeds.filter((feed) => feed.unread === 0 && feed.last);
    const count = fresh.reduce((sum, feed) => sum + feed.unread, 0);
    redraw(top, head(view, {
      title: 'Notifications', shown: count === 0 ? 'Nothing new' : `${count.toLocaleString('en')} new event${count === 1 ? '' : 's'} in ${fresh.length} place${fresh.length === 1 ? '' : 's'}`,
      actions: [fresh.length > 0 && h('button', { type: 'button', class: 'button', data: { key: 'all' }, on: { click: () => markRead(feeds) } }, icon('check'), 'Mark all as read', h('kbd', null, 'E'))],
      api: '/v1/ui/marks', aos: 'aos events',
    }), h('div', { class: 'filters' }, segments({ label: 'Which events', options: [['', 'What matters'], ['1', 'Every event']], value: view.query.text('all'), onChange: (all) => { view.setQuery({ all }); load(); } })));
    redraw(rows, fresh.map(card), fresh.length === 0 && h('div', { class: 'card' }, empty('You have seen it all', 'What happens in a room appears here until you mark it as read.')),
      old.length > 0 && h('section', { class: 'card', 'aria-label': 'Nothing new there' }, h('div', { class: 'card-head' }, h('h2', null, 'Nothing new')),
        h('ul', { class: 'lines' }, old.map((feed) => h('li', { data: { row: '', key: feed.id } }, icon(feed.type === 'room' ? 'rooms' : 'gauge'), name(feed), h('span', { class: 'faint nowrap' }, ago(feed.last.recorded_at)))))));
  };

  const address = (feed) => feed.type === 'room' ? href(`/rooms/${feed.id}`, feed.unread > 0 ? { seq: feed.mark + 1 } : {}) : href('/inspector');
  const name = (feed) => h('a', { class: 'grow clip', href: address(feed) }, line(feed.title, { max: 120 }));

  const card = (feed) => {
    const names = new Map();
    return h('section', { class: 'card notice', 'aria-label': `New in ${feed.title.slice(0, 80)}`, data: { feed: feed.id } },
      h('div', { class: 'card-head' }, h('h2', { class: 'clip grow' }, h('a', { href: address(feed) }, line(feed.title, { max: 120 }))), h('span', { class: 'unread num' }, feed.unread.toLocaleString('en'), h('span', { class: 'sr' }, ' new')),
        h('button', { type: 'button', class: 'button small', data: { key: `read-${feed.id}` }, 'aria-label': `Mark ${feed.title.slice(0, 80)} as read`, on: { click: () => markRead(feeds.filter((one) => one.id === feed.id)) } }, icon('check'), 'Mark as read')),
      feed.events.length === 0 ? h('p', { class: 'calm muted' }, 'Only small steps of runs.') : h('ol', { class: 'news' }, feed.events.map((event) => {
        const words = sentence(event, names);
        return h('li', { class: words.tone, data: { row: '', key: event.event_id } }, h('span', { class: 'tone' }, icon(words.icon)),
          h('a', { class: 'grow', href: goal(event) }, titles.has(event.run_id) && event.event_type !== 'run.created' && [h('b', null, line(titles.get(event.run_id), { max: 60 })), ' '], line(words.text, { max: 180 })), h('span', { class: 'faint nowrap' }, ago(event.recorded_at)));
      })),
      feed.hasMore && h('p', { class: 'calm' }, unfolded.has(feed.id) ? h('a', { href: address(feed) }, 'The rest is in the timeline')
        : h('button', { type: 'button', class: 'button small', data: { key: `more-${feed.id}` }, on: { click: () => { unfolded.add(feed.id); load(); } } }, 'Show more')));
  };

  /** The card that has the focus; else the first. */
  const current = () => feeds.find((feed) => feed.unread > 0 && feed.id === document.activeElement?.closest('[data-feed]')?.dataset.feed) ?? feeds.find((feed) => feed.unread > 0);
  view.keys({
    e: { says: 'Mark the room as read', run: () => { const feed = current(); if (feed) markRead([feed]); } },
    E: { says: 'Mark all as read', run: () => markRead(feeds) },
  });
  await load();
  view.root.append(top, rows);
  view.onQuery(load);
  view.live(() => true, load);
}

/** Where an event is best looked at. */
function goal(event) {
  const { data } = event;
  if (event.event_type.startsWith('approval.') && data.approval_id) return href(`/approvals/${data.approval_id}`);
  if (event.event_type.startsWith('incident.') && data.incident_id) return href(`/incidents/${data.incident_id}`);
  if (event.event_type === 'message.created') return href(`/threads/${data.thread_id ?? event.thread_id}`, { message: data.message_id });
  if (event.event_type === 'thread.created') return href(`/threads/${data.thread_id}`);
  if (/^(policy|secret|mistake)\./.test(event.event_type)) return href(`/events/${event.event_id}`);
  if (event.run_id) return href(`/runs/${event.run_id}`);
  return href(`/events/${event.event_id}`);
}
