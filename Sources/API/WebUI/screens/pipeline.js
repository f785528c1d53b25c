// The pipeline: all work by the stage it has come to. The arrow keys go from card to card over the whole board, Enter opens;
// on a narrow screen the stages stand one below the other. State in the address: type, room_id, q.

import { fill, h, redraw } from '../core/dom.js';
import { api } from '../core/api.js';
import { href } from '../core/router.js';
import { icon } from '../core/icons.js';
import { line } from '../core/text.js';
import { ago } from '../core/time.js';
import { head } from '../parts/actions.js';
import { field, segments, select } from '../parts/form.js';
import { note } from '../parts/states.js';
import { statusIcon, statusOf } from '../parts/status.js';

const PAGE = 200;
const PAGES_MAX = 5;
const SHOWN_MAX = 60;
const TYPING_MS = 200;
const STAGES = [
  ['1_inbox', 'Inbox', 'idle', 'Experiments and questions that nobody has begun.'],
  ['2_pending_approval', 'Waits for a yes', 'wait', 'Work that stands still until a person decides.'],
  ['3_execute_workspace', 'In work', 'run', 'Runs that are queued, going or asleep.'],
  ['4_review_evidence', 'To review', 'odd', 'Runs that succeeded: their evidence wants a judgement.'],
  ['5_promoted', 'Promoted', 'ok', 'Judged well, with evidence.'],
  ['6_demoted', 'Demoted', 'fail', 'Failed, cancelled, judged badly, or under an open incident.'],
];
const TYPES = [['', 'All'], ['run', 'Runs'], ['approval', 'Approvals'], ['experiment', 'Experiments'], ['scorecard', 'Scorecards']];
const WORDS = { run: 'run', approval: 'approval', experiment: 'experiment', scorecard: 'scorecard' };
const ICONS = { run: 'runs', approval: 'stamp', experiment: 'lens', scorecard: 'gauge' };
const DIAGNOSES = { cancelled: 'cancelled', ghost_evidence_or_mismatch: 'evidence does not match', missing_data: 'something is missing', unmatched_state: 'in a state that no rule knows' };

export async function show(view) {
  const rooms = new Map((await api.all('/v1/rooms', 'rooms', { signal: view.signal }).catch(() => [])).map((room) => [room.room_id, room.title]));
  const top = h('div');
  const board = h('div', { class: 'board', role: 'group', 'aria-label': 'The six stages', on: { keydown: pressed } });
  let stages = {};
  let isCut = false;
  let turn = 0;

  const load = async () => {
    const mine = ++turn;
    const found = Object.fromEntries(STAGES.map(([key]) => [key, []]));
    let cursor = {};
    let more = true;
    for (let page = 0; page < PAGES_MAX && more; page++) {
      const answer = await api.get('/v1/pipeline/projection', { query: { format: 'envelope', limit: PAGE, ...cursor }, signal: view.signal });
      for (const [key, items] of Object.entries(answer.stages)) (found[key] ??= []).push(...items);
      const next = answer.meta.next_cursor;
      more = next != null;
      if (next) cursor = { cursor_updated_at: next.updated_at, cursor_entity_type: next.entity_type, cursor_entity_id: next.entity_id };
    }
    if (mine !== turn) return;
    stages = found;
    isCut = more;
    draw();
  };

  const drawHead = () => {
    const room = view.query.text('room_id');
    fill(top, head(view, { title: 'Pipeline', api: '/v1/pipeline/projection?format=envelope', aos: 'aos pipeline', json: '/v1/pipeline/projection?format=envelope' }),
      h('div', { class: 'filters' },
        segments({ label: 'What', options: TYPES, value: view.query.text('type'), onChange: (type) => change({ type }) }),
        rooms.size > 1 && select({ label: 'Room', isHidden: true, value: room, options: [['', 'Every room'], ...[...rooms].map(([id, title]) => [id, title.slice(0, 60)])], on: { change: (event) => change({ room_id: event.target.value }) } }).element,
        field({ label: 'With the words', isHidden: true, input: search() }).element));
  };
  function search() {
    let timer = null;
    return h('input', { type: 'search', placeholder: 'Title or id', value: view.query.text('q'), maxlength: 100, autocomplete: 'off', spellcheck: 'false', on: { input: (event) => {
      clearTimeout(timer);
      const { value } = event.target;
      timer = setTimeout(() => { view.setQuery({ q: value.trim() }, { replace: true }); draw(); }, TYPING_MS);
    } } });
  }
  const change = (what) => { view.setQuery(what); draw(); };

  const draw = () => {
    const { type, room_id: room, q } = view.query.pick('type', 'room_id', 'q');
    const word = (q ?? '').toLowerCase();
    const fits = (item) => (!type || item.entity_type === type) && (!room || item.room_id === room)
      && (!word || item.title.toLowerCase().includes(word) || item.entity_id.toLowerCase().includes(word));
    redraw(board, STAGES.map(([key, name, tone, about]) => column(key, name, tone, about, (stages[key] ?? []).filter(fits), (stages[key] ?? []).length)),
      isCut && h('div', { class: 'board-note' }, note('wait', `The newest ${(PAGE * PAGES_MAX).toLocaleString('en')} are shown; what has not changed for long is left out.`)));
    const cards = [...board.querySelectorAll('.work')];
    if (!cards.some((card) => card.tabIndex === 0)) cards[0]?.setAttribute('tabindex', '0');
  };

  const column = (key, name, tone, about, items, all) => h('section', { class: ['stage', tone], 'aria-label': name },
    h('header', { class: 'stage-head' }, h('h2', null, name), h('span', { class: 'num count' }, items.length === all ? all : `${items.length} of ${all}`)),
    items.length === 0 ? h('p', { class: 'stage-none faint' }, all > 0 ? 'Nothing like that here.' : about)
      : h('ol', { class: 'stage-list', data: { key: `stage-${key}` } }, items.slice(0, SHOWN_MAX).map(card)),
    items.length > SHOWN_MAX && h('p', { class: 'stage-none faint' }, `and ${items.length - SHOWN_MAX} more`));

  const card = (item) => {
    const { tone } = statusOf(item.status);
    return h('li', { data: { key: item.entity_id } }, h('a', { class: ['work', tone], href: address(item), tabindex: document.activeElement?.closest?.('[data-key]')?.dataset.key === item.entity_id ? 0 : -1 },
      h('span', { class: 'work-title' }, statusIcon(item.status), ' ', line(item.title, { max: 120 })),
      h('span', { class: 'work-about faint' }, icon(ICONS[item.entity_type] ?? 'dot'), h('span', { class: item.entity_type === 'run' && 'sr' }, WORDS[item.entity_type] ?? line(item.entity_type)), item.room_id && rooms.has(item.room_id) && h('span', { class: 'clip' }, line(rooms.get(item.room_id), { max: 40 })), h('span', { class: 'nowrap push' }, ago(item.updated_at))),
      item.links?.incident_id && h('span', { class: 'work-flag fail' }, icon('alert'), 'incident'),
      (item.diagnostics ?? []).filter((one) => one !== item.status).map((one) => h('span', { class: 'work-flag odd' }, icon('ask'), DIAGNOSES[one] ?? line(one)))));
  };

  /** The arrow keys: along a stage, and across to the card beside it. */
  function pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !event.target.classList.contains('work')) return;
    const columns = [...board.querySelectorAll('.stage')].map((stage) => [...stage.querySelectorAll('.work')]);
    const x = columns.findIndex((cards) => cards.includes(event.target));
    const y = columns[x].indexOf(event.target);
    const across = (by) => { for (let at = x + by; at >= 0 && at < columns.length; at += by) if (columns[at].length > 0) return columns[at][Math.min(y, columns[at].length - 1)]; return null; };
    const next = { ArrowDown: () => columns[x][y + 1], ArrowUp: () => columns[x][y - 1], ArrowRight: () => across(1), ArrowLeft: () => across(-1), Home: () => columns[x][0], End: () => columns[x].at(-1) }[event.key];
    if (!next) return;
    event.preventDefault();
    focus(next());
  }
  function focus(card) {
    if (!card) return;
    for (const one of board.querySelectorAll('.work[tabindex="0"]')) one.setAttribute('tabindex', '-1');
    card.setAttribute('tabindex', '0');
    card.focus();
    card.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }
  const step = (key) => () => {
    const at = board.contains(document.activeElement) && document.activeElement.classList.contains('work') ? document.activeElement : null;
    if (!at) focus(board.querySelector('.work[tabindex="0"]') ?? board.querySelector('.work'));
    else at.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
  };

  drawHead();
  fill(view.root, top, board);
  await load();
  view.keys({
    j: { says: 'Next card of the stage', run: step('ArrowDown') }, k: { says: 'Card before it', run: step('ArrowUp') },
    l: { says: 'Stage to the right', run: step('ArrowRight') }, h: { says: 'Stage to the left', run: step('ArrowLeft') },
    ArrowDown: { run: step('ArrowDown') }, ArrowRight: { run: step('ArrowRight') }, ArrowLeft: { run: step('ArrowLeft') },
  });
  view.onQuery(() => { drawHead(); draw(); });
  view.live((event) => /^(run|approval|experiment|scorecard|incident|evidence)\./.test(event.event_type), load);
}

function address(item) {
  const { links } = item;
  if (item.entity_type === 'run') return href(`/runs/${item.entity_id}`);
  if (item.entity_type === 'approval') return href(`/approvals/${item.entity_id}`);
  if (links?.run_id) return href(`/runs/${links.run_id}`);
  return item.last_event_id ? href(`/events/${item.last_event_id}`) : href('/inspector', { correlation_id: item.correlation_id });
}
