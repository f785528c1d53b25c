// Incidents: what went wrong, the newest change first, and what each still lacks before it can be closed.

import { fill, h, redraw } from '../core/dom.js';
import { api, newKey, session, withQuery } from '../core/api.js';
import { href, navigate } from '../core/router.js';
import { idTag, line } from '../core/text.js';
import { ago } from '../core/time.js';
import { head } from '../parts/actions.js';
import { openDialog } from '../parts/dialog.js';
import { field, segments, select } from '../parts/form.js';
import { lacking, severity, SEVERITIES } from '../parts/incident.js';
import { empty, sentenceOf } from '../parts/states.js';
import { status } from '../parts/status.js';
import { table } from '../parts/table.js';

const PAGE = 50;
const PAGES_MAX = 20;
const VIEWS = [['', 'Open'], ['closed', 'Closed'], ['all', 'All']];

export async function show(view) {
  const rooms = new Map((await api.all('/v1/rooms', 'rooms', { signal: view.signal }).catch(() => [])).map((room) => [room.room_id, room.title]));
  const top = h('div');
  const list = h('div', { class: 'card' });
  let pages = 1;
  let turn = 0;

  const query = () => {
    const which = view.query.text('status');
    return { ...view.query.pick('severity', 'category', 'room_id', 'run_id'), status: which === 'all' ? '' : which || 'open' };
  };
  const load = async () => {
    const mine = ++turn;
    const incidents = [];
    let hasMore = false;
    for await (const page of api.pages('/v1/incidents', 'incidents', { query: { ...query(), limit: PAGE }, signal: view.signal, pagesMax: pages })) {
      incidents.push(...page);
      hasMore = page.length === PAGE;
    }
    if (mine !== turn) return;
    const isFiltered = Object.keys(view.query.pick('severity', 'category', 'room_id', 'run_id')).length > 0;
    redraw(list, incidents.length === 0
      ? empty(isFiltered ? 'No incident is like that' : view.query.text('status') === '' ? 'Nothing is wrong that anybody knows of' : 'None', isFiltered ? 'Take a filter away to see more.' : 'A failed run opens one by itself; you can open one too. It closes with a root cause and a learning.')
      : [table({ label: 'Incidents', rows: incidents, key: (incident) => incident.incident_id, columns: [
        { head: 'State', class: 'tight', from: 'tablet', cell: (incident) => status(incident.status) },
        { head: 'Severity', class: 'tight', cell: (incident) => severity(incident.severity) },
        { head: 'Incident', class: 'main', cell: (incident) => [h('a', { href: href(`/incidents/${incident.incident_id}`) }, line(incident.title, { max: 160 })), incident.category && h('span', { class: 'muted' }, '  ', line(incident.category, { max: 40 }))] },
        { head: 'Still lacks', class: 'tight', from: 'tablet', cell: (incident) => incident.status === 'open' ? h('span', { class: 'muted' }, lacking(incident).join(', ') || 'nothing: it can be closed') : '' },
        { head: 'Room', class: 'tight', from: 'desk', cell: (incident) => incident.room_id && rooms.has(incident.room_id) ? h('a', { class: 'muted room-name clip', href: href(`/rooms/${incident.room_id}`) }, line(rooms.get(incident.room_id), { max: 40 })) : '' },
        { head: 'Id', class: 'tight', from: 'desk', cell: (incident) => idTag(incident.incident_id, { name: 'incident id' }) },
        { head: 'Last change', end: true, from: 'tablet', cell: (incident) => ago(incident.updated_at) },
      ] }), hasMore && pages < PAGES_MAX && h('p', { class: 'more-row', data: { key: 'more' } }, h('button', { class: 'button small', type: 'button', on: { click: () => { pages++; load(); } } }, 'Show more'))]);
  };

  const drawTop = () => {
    const of = query();
    const options = Object.entries(of).filter(([name, value]) => value && !name.endsWith('_id')).map(([name, value]) => ` --${name} ${value}`).join('');
    fill(top, head(view, { title: 'Incidents', api: withQuery('/v1/incidents', of), json: withQuery('/incidents.json', of), aos: `aos incident list${options}`,
      actions: [session.canWrite && h('button', { type: 'button', class: 'button primary', on: { click: () => openIncident(rooms) } }, 'Open an incident', h('kbd', null, 'n'))] }),
    h('div', { class: 'filters' },
      segments({ label: 'State', options: VIEWS, value: view.query.text('status'), onChange: (status) => change({ status }) }),
      select({ label: 'Severity', isHidden: true, value: view.query.text('severity'), options: [['', 'Any severity'], ...SEVERITIES.map((one) => [one, one])], on: { change: (event) => change({ severity: event.target.value }) } }).element,
      rooms.size > 1 && select({ label: 'Room', isHidden: true, value: view.query.text('room_id'), options: [['', 'Every room'], ...[...rooms].map(([id, title]) => [id, title.slice(0, 60)])], on: { change: (event) => change({ room_id: event.target.value }) } }).element,
      view.query.text('category') && h('button', { type: 'button', class: 'button small', on: { click: () => change({ category: null }) } }, line(view.query.text('category'), { max: 40 }), ' ×'),
      view.query.text('run_id') && h('button', { type: 'button', class: 'button small', on: { click: () => change({ run_id: null }) } }, 'of one run ×')));
  };
  const change = (what) => { view.setQuery(what); pages = 1; drawTop(); load(); };

  drawTop();
  fill(view.root, top, list);
  await load();
  view.keys({ n: { says: 'Open an incident', run: () => { if (session.canWrite) openIncident(rooms); } } });
  view.onQuery(() => { pages = 1; drawTop(); load(); });
  view.live((event) => event.event_type.startsWith('incident.'), load);
}

/** Something went wrong, and a person says so. @param {Map<string, string>} rooms */
function openIncident(rooms) {
  const title = field({ label: 'What went wrong?', input: h('input', { maxlength: 200, required: true, autocomplete: 'off' }) });
  const summary = field({ label: 'What is known so far (optional)', input: h('textarea', { rows: 4, maxlength: 16_000 }) });
  const level = select({ label: 'Severity', value: 'medium', options: SEVERITIES.map((one) => [one, one]) });
  const category = field({ label: 'Category (optional)', input: h('input', { maxlength: 100, autocomplete: 'off' }) });
  const room = select({ label: 'Room', options: [['', 'none'], ...[...rooms].map(([id, name]) => [id, name.slice(0, 60)])] });
  const submit = h('button', { type: 'submit', class: 'button primary' }, 'Open it');
  const key = newKey();
  const close = openDialog({ title: 'Open an incident', content: h('form', { class: 'stack', on: { submit: async (event) => {
    event.preventDefault();
    title.error(title.value.trim() ? null : 'An incident needs a title.');
    if (!title.value.trim()) return;
    submit.disabled = true;
    try {
      const made = await api.post('/v1/incidents', { title: title.value.trim(), severity: level.value, ...(summary.value.trim() ? { summary: summary.value.trim() } : {}), ...(category.value.trim() ? { category: category.value.trim() } : {}), ...(room.value ? { room_id: room.value } : {}) }, { key });
      close();
      navigate(href(`/incidents/${made.incident_id}`));
    } catch (error) {
      submit.disabled = false;
      title.error(sentenceOf(error));
    }
  } } }, title.element, summary.element, h('div', { class: 'thirds' }, level.element, category.element, room.element), h('div', { class: 'cluster end' }, submit)) });
  title.input.focus();
}
