// Search: a text, anywhere in what was said and kept; the hits by their kind, with what was found marked. `/` goes to the
// field, the arrow keys and j k through the hits. State in the address: q, doc_type, room_id.

import { fill, h, redraw } from '../core/dom.js';
import { api, withQuery } from '../core/api.js';
import { href } from '../core/router.js';
import { icon } from '../core/icons.js';
import { moveRow } from '../core/keys.js';
import { line, plain, shortID } from '../core/text.js';
import { ago } from '../core/time.js';
import { head, quoted } from '../parts/actions.js';
import { field, segments, select } from '../parts/form.js';
import { marked } from '../parts/marked.js';
import { empty, failure, note } from '../parts/states.js';
import { say } from '../parts/toast.js';

const PAGE = 30;
const PAGES_MAX = 10;
const TEXT_MIN = 2;
const TEXT_MAX = 200;
const TYPING_MS = 250;
const KINDS = { message: ['Messages', 'rooms'], run: ['Runs', 'runs'], artifact: ['Artifacts', 'file'], incident: ['Incidents', 'alert'] };

export async function show(view) {
  const rooms = new Map((await api.all('/v1/rooms', 'rooms', { signal: view.signal }).catch(() => [])).map((room) => [room.room_id, room.title]));
  const top = h('div');
  const results = h('div', { class: 'stack', 'aria-label': 'What was found', role: 'region' });
  const input = h('input', { type: 'search', value: view.query.text('q'), maxlength: TEXT_MAX, autocomplete: 'off', spellcheck: 'false', placeholder: 'Words, exactly as they stand', on: {
    input: () => { clearTimeout(timer); timer = setTimeout(() => ask(false), TYPING_MS); },
    keydown: (event) => { if (event.key === 'ArrowDown') { event.preventDefault(); moveRow(1); } },
  } });
  const text = field({ label: 'Search for', isHidden: true, input });
  const filters = h('div', { class: 'filters' });
  const runOf = new Map();
  let timer = null;
  let turn = 0;
  let pages = 1;

  const ask = (isSubmitted) => {
    clearTimeout(timer);
    const q = input.value.trim();
    if (q === view.query.text('q') && !isSubmitted) return;
    view.setQuery({ q }, { replace: !isSubmitted });
    pages = 1;
    drawTop();
    load();
  };
  const change = (what) => { view.setQuery(what); pages = 1; drawTop(); load(); };

  const load = async () => {
    const mine = ++turn;
    const q = view.query.text('q');
    if ([...q].length < TEXT_MIN) {
      fill(results, h('div', { class: 'card' }, empty(q === '' ? 'Find what was said and kept' : `At least ${TEXT_MIN} characters`, 'Messages, runs with their goals and results, artifacts with their text, incidents. Upper and lower case are the same; everything else is taken literally.')));
      return;
    }
    try {
      const docs = [];
      let cursor = null;
      let isTruncated = false;
      for (let page = 0; page < pages; page++) {
        const answer = await api.get('/v1/search', { query: { ...view.query.pick('q', 'doc_type', 'room_id'), limit: PAGE, cursor }, signal: view.signal });
        docs.push(...answer.docs);
        cursor = answer.next_cursor;
        isTruncated ||= answer.truncated;
        if (cursor == null || answer.docs.length === 0) { cursor = null; break; }
      }
      if (mine !== turn) return;
      draw(docs, cursor, isTruncated);
      await findRuns(docs, mine);
    } catch (error) { if (!view.signal.aborted && mine === turn) fill(results, failure(error, load)); }
  };

  /** An artifact is looked at in its run; which one that is, only the artifact knows. */
  const findRuns = async (docs, mine) => {
    const asked = docs.filter((doc) => doc.doc_type === 'artifact' && !runOf.has(doc.doc_id));
    await Promise.all(asked.map((doc) => api.get(`/v1/artifacts/${doc.doc_id}`, { signal: view.signal }).then(({ artifact }) => runOf.set(doc.doc_id, artifact)).catch(() => {})));
    if (mine !== turn) return;
    for (const anchor of results.querySelectorAll('a[data-artifact]')) {
      const artifact = runOf.get(anchor.dataset.artifact);
      if (artifact) anchor.setAttribute('href', href(`/runs/${artifact.run_id}`));
    }
  };

  const draw = (docs, cursor, isTruncated) => {
    say(docs.length === 0 ? 'Nothing was found' : `${docs.length}${cursor ? ' or more' : ''} found`);
    const kinds = [...new Set(docs.map((doc) => doc.doc_type))];
    redraw(results, docs.length === 0 ? h('div', { class: 'card' }, empty('Nothing was found', 'It is taken literally: try fewer or other words, or take a filter away.')) : kinds.map((kind) => {
      const [name, mark] = KINDS[kind] ?? [kind, 'dot'];
      const some = docs.filter((doc) => doc.doc_type === kind);
      return h('section', { class: 'card', 'aria-label': name }, h('div', { class: 'card-head' }, icon(mark), h('h2', null, name), h('span', { class: 'count num' }, some.length)),
        h('ol', { class: 'hits' }, some.map(hit)));
    }),
    isTruncated && note('info', 'There are more than a thousand hits; the newest thousand were looked at.'),
    cursor && pages < PAGES_MAX && h('p', { class: 'more-row', data: { key: 'more' } }, h('button', { type: 'button', class: 'button small', on: { click: () => { pages++; load(); } } }, 'Show more')));
  };

  const hit = (doc) => {
    const isSaid = doc.doc_type === 'message';
    const title = doc.title || (isSaid ? 'Message' : shortID(doc.doc_id));
    // A title that the excerpt begins with is said once.
    const excerpt = doc.title && plain(doc.content_text, 300).startsWith(plain(doc.title, 200)) ? null : title;
    return h('li', { data: { row: '', key: doc.doc_id } }, h('a', { class: 'hit', href: address(doc, runOf), data: { artifact: doc.doc_type === 'artifact' ? doc.doc_id : null } },
      excerpt && h('span', { class: 'hit-title' }, isSaid ? null : line(excerpt, { max: 140 })),
      h('span', { class: 'hit-text' }, marked(doc.excerpt)),
      h('span', { class: 'hit-about faint' }, doc.room_id && rooms.has(doc.room_id) && [line(rooms.get(doc.room_id), { max: 50 }), ' · '], ago(doc.updated_at), ' · ', h('span', { class: 'mono' }, shortID(doc.doc_id)))));
  };

  const drawTop = () => {
    const query = view.query.pick('q', 'doc_type', 'room_id');
    view.title(query.q ? `Search: ${plain(query.q, 60)}` : 'Search');
    fill(top, head(view, { title: query.q ? `Search: ${plain(query.q, 60)}` : 'Search', shown: 'Search', api: withQuery('/v1/search', query), aos: `aos search ${quoted(query.q || 'text')}${query.doc_type ? ` --kind ${query.doc_type}` : ''}` }));
    fill(filters,
      segments({ label: 'Kind', options: [['', 'All'], ...Object.entries(KINDS).map(([key, [name]]) => [key, name])], value: query.doc_type ?? '', onChange: (doc_type) => change({ doc_type }) }),
      rooms.size > 1 && select({ label: 'Room', isHidden: true, value: query.room_id, options: [['', 'Every room'], ...[...rooms].map(([id, title]) => [id, title.slice(0, 60)])], on: { change: (event) => change({ room_id: event.target.value }) } }).element);
  };

  drawTop();
  fill(view.root, top, h('form', { class: 'search-form', role: 'search', on: { submit: (event) => { event.preventDefault(); ask(true); } } }, text.element, h('button', { type: 'submit', class: 'button primary' }, icon('search'), 'Search')), filters, results);
  view.keys({ '/': { says: 'To the search field', run: () => { input.focus(); input.select(); } } });
  await load();
  if (!view.query.text('q')) { view.place(); requestAnimationFrame(() => input.focus()); }
  view.onQuery(() => { if (input.value.trim() !== view.query.text('q')) input.value = view.query.text('q'); pages = 1; drawTop(); load(); });
  view.onLeave(() => clearTimeout(timer));
}

function address(doc, runOf) {
  switch (doc.doc_type) {
    case 'message': return doc.thread_id ? href(`/threads/${doc.thread_id}`, { message: doc.doc_id }) : href(`/rooms/${doc.room_id}`);
    case 'run': return href(`/runs/${doc.doc_id}`);
    case 'incident': return href(`/incidents/${doc.doc_id}`);
    case 'artifact': return runOf.has(doc.doc_id) ? href(`/runs/${runOf.get(doc.doc_id).run_id}`) : `/v1/artifacts/${doc.doc_id}`;
    default: return href('/inspector');
  }
}
