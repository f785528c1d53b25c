// The inspector: all events of a run, of a correlation, or of what an event belongs to, as a tree of causes or in the order
// of the log, and each of them in full beside it. State in the address: run_id | correlation_id, event_id, as, show.

import { fill, h, show as setShown } from '../core/dom.js';
import { api, withQuery } from '../core/api.js';
import { href, navigate, reshow } from '../core/router.js';
import { icon } from '../core/icons.js';
import { WindowedList } from '../core/list.js';
import { idTag, line, plain } from '../core/text.js';
import { ago, duration, between, timeOfDay } from '../core/time.js';
import { head } from '../parts/actions.js';
import { field, segments } from '../parts/form.js';
import { inspection, readEvent, systemToo } from '../parts/inspection.js';
import { lanes, traceRows } from '../parts/lanes.js';
import { runName } from '../parts/runs.js';
import { sentence } from '../parts/sentence.js';
import { empty, failure, note } from '../parts/states.js';
import { status } from '../parts/status.js';
import { say } from '../parts/toast.js';

const EVENTS_MAX = 5_000;
const NOTEWORTHY = ['policy.denied', 'policy.requires_approval', 'secret.leaked.detected', 'run.failed', 'tool.unknown', 'mistake.repeated', 'incident.opened', 'approval.expired'];
const NOTEWORTHY_SHOWN = 30;
const SHOWS = {
  '': ['All', null],
  decisions: ['Decisions', /^(policy|approval)\.|^tool\.(requested|invoked)|^kill_switch\.|^(constraint|mistake|learning)\./],
  trouble: ['Trouble', /\.(failed|unknown|denied|expired)$|^secret\.|^mistake\.|^incident\.opened/],
};
// How an id says what it is of.
const KINDS = [[/^run_\w+$/, 'run_id'], [/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/, 'event_id']];

export async function show(view) {
  const scope = () => view.query.pick('run_id', 'correlation_id', 'event_id');
  const { run_id: run, correlation_id: correlation, event_id: event } = scope();
  if (!run && !correlation && !event) return start(view);
  if (!run && !correlation) {
    const { event: one } = await api.get(`/v1/events/${encodeURIComponent(event)}`, { signal: view.signal });
    view.setQuery({ correlation_id: one.correlation_id }, { replace: true });
  }
  return trace(view);
}

/** All that belongs together. */
async function trace(view) {
  const of = view.query.pick('run_id', 'correlation_id');
  if (of.run_id) delete of.correlation_id;
  const names = new Map();
  const top = h('div');
  const side = h('div', { class: 'timeline-side trace-side', hidden: true });
  const nothing = h('div', { hidden: true }, empty('No event is like that', 'Choose another kind.'));
  let events = [];
  let rows = [];
  let run = null;
  let width = 1;
  let opened = null;
  let turn = 0;

  const list = new WindowedList({
    label: 'Events by what caused them',
    render: (index) => drawRow(rows[index]),
    rowClass: (index) => sentence(rows[index].event, names).tone,
    onOpen: (index) => open(rows[index].event),
    onSelect: (index) => { if (opened) open(rows[index].event); },
  });
  list.element.classList.add('trace');
  list.sticks = false;

  const drawRow = (row) => {
    const words = sentence(row.event, names);
    return [
      row.lane != null && lanes(row, list.rowPx, width),
      row.cause && h('span', { class: 'sr' }, `caused by ${row.cause.global_seq}: `),
      h('span', { class: 'event-icon tone' }, icon(words.icon)),
      h('span', { class: ['grow clip', row.isRoot && 'strong'] }, line(words.text, { max: 200 })),
      h('span', { class: 'event-time num', title: row.event.recorded_at }, timeOfDay(row.event.recorded_at)),
      h('span', { class: 'event-seq num faint' }, row.event.global_seq),
    ];
  };

  const read = async () => {
    const from = events[events.length - 1]?.global_seq;
    const added = await api.all('/v1/events', 'events', { query: { ...of, include_system: systemToo(), limit: 500, ...(from ? { cursor: from } : {}) }, signal: view.signal, max: EVENTS_MAX });
    events = [...events, ...added].slice(0, EVENTS_MAX);
    for (const event of events) sentence(event, names);
    const runID = of.run_id ?? events.find((event) => event.run_id)?.run_id;
    run = runID ? await api.get(`/v1/runs/${encodeURIComponent(runID)}`, { signal: view.signal }).then((answer) => answer.run).catch(() => null) : null;
  };

  const arrange = () => {
    const kind = SHOWS[view.query.text('show')]?.[1];
    const shown = kind ? events.filter((event) => kind.test(event.event_type)) : events;
    const isTree = view.query.text('as') !== 'list';
    rows = isTree ? traceRows(shown) : shown.map((event) => ({ event, lane: null }));
    width = 1 + Math.max(0, ...rows.map((row) => row.lane ?? 0));
    setShown(nothing, rows.length === 0);
    setShown(list.element, rows.length > 0);
    list.setCount(rows.length);
    list.refresh();
    const at = rows.findIndex((row) => row.event.event_id === view.query.text('event_id'));
    if (at >= 0 && at !== list.selected) list.select(at, { centre: true });
  };

  const open = async (event) => {
    if (!event || opened === event.event_id) return;
    opened = event.event_id;
    const mine = ++turn;
    view.setQuery({ event_id: event.event_id }, { replace: true });
    try {
      const found = await readEvent(event.event_id, { signal: view.signal });
      if (mine !== turn) return;
      const words = sentence(event, names);
      fill(side, h('div', { class: 'card-head side-head' }, h('span', { class: [words.tone, 'tone'] }, icon(words.icon)), h('h2', { tabindex: -1 }, h('a', { href: href(`/events/${event.event_id}`) }, line(event.event_type))),
        h('button', { type: 'button', class: 'icon-button', 'aria-label': 'Close the event', on: { click: close } }, '×')),
      h('div', { class: 'stack side-body' }, h('p', null, line(words.text, { max: 600 })), inspection({ ...found, signal: view.signal, names })));
    } catch (error) { if (!view.signal.aborted && mine === turn) fill(side, failure(error)); }
    setShown(side, true);
    side.scrollTop = 0;
  };
  const close = () => {
    turn++;
    opened = null;
    setShown(side, false);
    view.setQuery({ event_id: null }, { replace: true });
    list.element.focus({ preventScroll: true });
  };

  const drawTop = () => {
    const count = (test) => events.filter((event) => test.test(event.event_type)).length;
    const refused = count(/^policy\.denied/);
    const first = events[0];
    const last = events[events.length - 1];
    const title = run ? runName(run) : first ? sentence(first, names).text : 'Nothing';
    fill(top, head(view, {
      title: plain(`Inspector: ${title}`), shown: line(title, { max: 200 }),
      sub: [run && status(run.status), run && idTag(run.run_id, { href: href(`/runs/${run.run_id}`), name: 'run id' }), of.correlation_id && h('span', null, 'correlation ', idTag(of.correlation_id, { name: 'correlation id' })),
        h('span', { class: 'num' }, `${events.length.toLocaleString('en')} event${events.length === 1 ? '' : 's'}`), first && last !== first && h('span', null, 'over ', duration(between(first.recorded_at, last.recorded_at))),
        some(count(/^tool\.invoked/), 'call'), some(count(/^approval\.requested/), 'approval'), refused > 0 && h('span', { class: 'fail tone' }, `${refused} refused`),
        of.run_id && first?.correlation_id && h('a', { href: href('/inspector', { correlation_id: first.correlation_id }) }, 'All of its correlation')],
      api: withQuery('/v1/events', of), aos: of.run_id ? `aos events --run ${of.run_id}` : `aos export --correlation ${of.correlation_id}`, json: withQuery('/inspector.json', of),
    }), events.length >= EVENTS_MAX && note('wait', `The first ${EVENTS_MAX.toLocaleString('en')} events; the export has all of them.`),
    h('div', { class: 'filters' },
      segments({ label: 'Which events', options: Object.entries(SHOWS).map(([key, [word]]) => [key, word]), value: view.query.text('show'), onChange: (show) => { view.setQuery({ show }); arrange(); } }),
      segments({ label: 'In which order', options: [['', 'By cause'], ['list', 'By time']], value: view.query.text('as'), onChange: (as) => { view.setQuery({ as }); arrange(); } })));
  };

  view.root.classList.add('full');
  await read();
  if (events.length === 0) { fill(view.root, head(view, { title: 'Inspector' }), finder(), empty('No event belongs to that', 'The id may be of another workspace, or nothing has happened yet.')); return; }
  drawTop();
  fill(view.root, top, h('div', { class: 'timeline' }, h('div', { class: 'timeline-main' }, list.element, nothing), side));
  view.place();
  arrange();
  const asked = events.find((event) => event.event_id === view.query.text('event_id'));
  if (asked) open(asked);
  view.keys({
    j: { says: 'Next event', run: () => { list.element.focus(); list.move(1); } },
    k: { says: 'Previous event', run: () => { list.element.focus(); list.move(-1); } },
    o: { says: 'Open the event beside the tree', run: () => { if (list.selected >= 0) open(rows[list.selected].event); } },
    c: { says: 'To what caused it', run: () => { const cause = rows[list.selected]?.cause; const at = cause ? rows.findIndex((row) => row.event === cause) : -1; if (at >= 0) { list.select(at); say(sentence(cause, names).text); } } },
    e: { says: 'The event’s own page', run: () => { const event = rows[list.selected]?.event; if (event) navigate(href(`/events/${event.event_id}`)); } },
    Escape: { says: 'Close the event', run: () => { if (opened) close(); } },
  });
  const scopeNow = JSON.stringify(of);
  view.onQuery(() => {
    const next = view.query.pick('run_id', 'correlation_id');
    if (next.run_id) delete next.correlation_id;
    if (JSON.stringify(next) !== scopeNow) { reshow(); return; }
    drawTop();
    arrange();
  });
  view.live((event) => (of.run_id ? event.run_id === of.run_id : event.correlation_id === of.correlation_id), async () => { await read(); drawTop(); arrange(); });
  view.onLeave(() => list.stop());
}

const some = (count, one) => count > 0 && h('span', { class: 'num' }, `${count} ${one}${count === 1 ? '' : 's'}`);

/** Where to begin: an id, or what deserves a look. */
async function start(view) {
  const list = h('section', { class: 'card', 'aria-label': 'Worth a look' });
  const load = async () => {
    const { events } = await api.get('/v1/events', { query: { event_types: NOTEWORTHY, before_recorded_at: '9999-01-01T00:00:00.000Z', limit: NOTEWORTHY_SHOWN }, signal: view.signal });
    fill(list, h('div', { class: 'card-head' }, h('h2', null, 'Worth a look'), h('span', { class: 'count' }, 'refusals, secrets, failures, unknown outcomes')),
      events.length === 0 ? empty('Nothing out of the ordinary', 'Refusals, secrets that were kept out, failures and unknown outcomes appear here.') : h('ol', { class: 'news' }, events.reverse().map((event) => {
        const words = sentence(event);
        return h('li', { class: words.tone, data: { row: '', key: event.event_id } }, h('span', { class: 'tone' }, icon(words.icon)), h('a', { class: 'grow', href: href('/inspector', { correlation_id: event.correlation_id, event_id: event.event_id }) }, line(words.text, { max: 200 })), h('span', { class: 'faint nowrap' }, ago(event.recorded_at)));
      })));
  };
  fill(view.root, head(view, { title: 'Inspector', api: '/v1/events', aos: 'aos events' }), finder(), list);
  await load();
  view.onQuery(() => reshow());
  view.live((event) => NOTEWORTHY.includes(event.event_type), load);
}

function finder() {
  const id = field({ label: 'Inspect an id', hint: 'A run’s, an event’s, or a correlation’s: it comes with every answer and every event.', input: h('input', { type: 'search', maxlength: 200, spellcheck: 'false', autocomplete: 'off', placeholder: 'run_…' }) });
  return h('form', { class: 'finder', on: { submit: (event) => {
    event.preventDefault();
    const text = id.value.trim();
    id.error(text ? null : 'Paste an id first.');
    if (text) navigate(href('/inspector', { [KINDS.find(([test]) => test.test(text))?.[1] ?? 'correlation_id']: text }));
  } } }, id.element, h('button', { type: 'submit', class: 'button primary' }, 'Inspect'));
}
