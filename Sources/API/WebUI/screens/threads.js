// The threads of a room: what people, agents and services talk about there.

import { fill, h, redraw } from '../core/dom.js';
import { api, newKey, session } from '../core/api.js';
import { href, navigate } from '../core/router.js';
import { idTag, line, plain } from '../core/text.js';
import { ago } from '../core/time.js';
import { head } from '../parts/actions.js';
import { openDialog } from '../parts/dialog.js';
import { field } from '../parts/form.js';
import { empty, sentenceOf } from '../parts/states.js';
import { status } from '../parts/status.js';
import { table } from '../parts/table.js';

const TITLE_MAX = 200;
const PAGES_MAX = 20;

export async function show(view) {
  const id = view.params.room_id;
  const path = `/v1/rooms/${encodeURIComponent(id)}`;
  const list = h('div', { class: 'card' });
  let pages = 1;

  const load = async () => {
    const threads = [];
    let hasMore = false;
    for await (const page of api.pages(`${path}/threads`, 'threads', { query: { limit: 50 }, signal: view.signal, pagesMax: pages })) {
      threads.push(...page);
      hasMore = page.length === 50;
    }
    redraw(list, threads.length === 0
      ? empty('Nobody talks here yet', 'A thread is a talk in the room: people say something on these pages, agents by the `message` tool of a plan.', session.canWrite && h('button', { class: 'button', type: 'button', on: { click: create } }, 'New thread'))
      : [table({ label: 'Threads', rows: threads, key: (thread) => thread.thread_id, columns: [
        { head: 'Thread', class: 'main', cell: (thread) => h('a', { href: href(`/threads/${thread.thread_id}`) }, line(thread.title, { max: 160 })) },
        { head: 'State', class: 'tight', from: 'tablet', cell: (thread) => status(thread.status === 'open' ? 'active' : thread.status, plain(thread.status, 30)) },
        { head: 'Id', class: 'tight', from: 'desk', cell: (thread) => idTag(thread.thread_id, { name: 'thread id' }) },
        { head: 'Opened', end: true, from: 'tablet', cell: (thread) => ago(thread.created_at) },
        { head: 'Last change', end: true, cell: (thread) => ago(thread.updated_at) },
      ] }), hasMore && pages < PAGES_MAX && h('p', { class: 'more-row', data: { key: 'more' } }, h('button', { class: 'button small', type: 'button', on: { click: () => { pages++; load(); } } }, 'Show more'))]);
  };

  function create() {
    const title = field({ label: 'What is it about?', input: h('input', { maxlength: TITLE_MAX, required: true, autocomplete: 'off' }) });
    const key = newKey();
    const submit = h('button', { type: 'submit', class: 'button primary' }, 'Open the thread');
    const close = openDialog({ title: 'New thread', content: h('form', { class: 'stack', on: { submit: async (event) => {
      event.preventDefault();
      title.error(title.value.trim() ? null : 'A thread needs a title.');
      if (!title.value.trim()) return;
      submit.disabled = true;
      try {
        const { thread_id: made } = await api.post(`${path}/threads`, { title: title.value.trim() }, { key });
        close();
        navigate(href(`/threads/${made}`));
      } catch (error) {
        submit.disabled = false;
        title.error(sentenceOf(error));
      }
    } } }, title.element, h('div', { class: 'cluster end' }, submit)) });
    title.input.focus();
  }

  const [{ room }] = await Promise.all([api.get(path, { signal: view.signal }), load()]);
  fill(view.root, head(view, {
    title: `Threads: ${plain(room.title, 80)}`, shown: ['Threads of ', line(room.title, { max: 160 })],
    sub: [idTag(room.room_id, { name: 'room id' }), h('a', { href: href(`/rooms/${id}`) }, 'Timeline'), h('a', { href: href('/runs', { room_id: id }) }, 'Runs')],
    actions: [session.canWrite && h('button', { class: 'button primary', type: 'button', on: { click: create } }, 'New thread', h('kbd', null, 'n'))],
    api: `${path}/threads`, aos: `aos thread list ${id}`,
  }), list);
  view.keys({ n: { says: 'New thread', run: create }, u: { says: 'Back to the timeline', run: () => navigate(href(`/rooms/${id}`)) } });
  view.live((event) => event.room_id === id && /^(thread|message)\./.test(event.event_type), load);
}
