// Runs: all of them, latest change first; filters in the address.

import { fill, h, redraw } from '../core/dom.js';
import { api, session, withQuery } from '../core/api.js';
import { href, navigate } from '../core/router.js';
import { head } from '../parts/actions.js';
import { segments, select } from '../parts/form.js';
import { runTable } from '../parts/runs.js';
import { empty } from '../parts/states.js';

const PAGE = 50;
const PAGES_MAX = 20;
const STATUSES = [['', 'All'], ['queued', 'Queued'], ['running', 'Running'], ['waiting', 'Waiting'], ['succeeded', 'Succeeded'], ['failed', 'Failed'], ['cancelled', 'Cancelled']];

export async function show(view) {
  const rooms = new Map((await api.all('/v1/rooms', 'rooms', { signal: view.signal })).map((room) => [room.room_id, room.title]));
  const list = h('div', { class: 'card' });
  const top = h('div');
  const filters = h('div', { class: 'filters' });
  let pages = 1;
  let turn = 0;

  const load = async () => {
    const mine = ++turn;
    const runs = [];
    let cursor = null;
    for (let page = 0; page < Math.min(pages, PAGES_MAX); page++) {
      const answer = await api.get('/v1/runs', { query: { ...view.query.pick('status', 'room_id', 'experiment_id'), limit: PAGE, cursor }, signal: view.signal });
      runs.push(...answer.runs);
      cursor = answer.runs.length < PAGE ? null : answer.next_cursor;
      if (!cursor) break;
    }
    if (mine !== turn) return;
    const isFiltered = view.query.text('status') || view.query.text('room_id');
    redraw(list, runs.length === 0
      ? empty(isFiltered ? 'No run is like that' : 'No runs yet', isFiltered ? 'Take a filter away to see more.' : 'A run is a plan: steps with tools, what each needs, and what must not happen twice.', h('a', { class: 'button', href: href('/runs/new') }, 'New run'))
      : [runTable(runs, { rooms }), cursor && pages < PAGES_MAX && h('p', { class: 'more-row', data: { key: 'more' } }, h('button', { class: 'button small', type: 'button', on: { click: () => { pages++; load(); } } }, 'Show more'))]);
  };

  const drawHead = () => {
    const query = view.query.pick('status', 'room_id', 'experiment_id');
    fill(top, head(view, {
      title: 'Runs', api: withQuery('/v1/runs', query), aos: `aos run list${query.status ? ` --status ${query.status}` : ''}`,
      actions: [session.canWrite && h('a', { class: 'button primary', href: href('/runs/new', query.room_id ? { room: query.room_id } : {}) }, 'New run', h('kbd', null, 'n'))],
    }));
  };
  const draw = () => {
    drawHead();
    const query = view.query.pick('status', 'room_id');
    fill(filters,
      segments({ label: 'State', options: STATUSES, value: query.status ?? '', onChange: (status) => change({ status }) }),
      rooms.size > 1 && select({ label: 'Room', isHidden: true, value: query.room_id, options: [['', 'Every room'], ...[...rooms].map(([id, title]) => [id, title.slice(0, 60)])], on: { change: (event) => change({ room_id: event.target.value }) } }).element);
  };
  const change = (what) => { view.setQuery(what); pages = 1; drawHead(); load(); };

  draw();
  fill(view.root, top, filters, list);
  await load();
  view.keys({ n: { says: 'New run', run: () => navigate(href('/runs/new')) } });
  view.onQuery(() => { pages = 1; draw(); load(); });
  view.live((event) => event.event_type.startsWith('run.'), load);
}
