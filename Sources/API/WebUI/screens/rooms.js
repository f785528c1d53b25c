// Rooms: where work happens; each has a timeline of its own. A new one is a title away.

import { fill, h, redraw } from '../core/dom.js';
import { api, newKey, Problem, session } from '../core/api.js';
import { href, navigate } from '../core/router.js';
import { idTag, line } from '../core/text.js';
import { ago } from '../core/time.js';
import { head } from '../parts/actions.js';
import { openDialog } from '../parts/dialog.js';
import { field } from '../parts/form.js';
import { empty, sentenceOf } from '../parts/states.js';
import { table } from '../parts/table.js';

const TITLE_MAX = 200;
const TOPIC_MAX = 4_000;

export async function show(view) {
  const list = h('div', { class: 'card' });
  const load = async () => {
    const rooms = await api.all('/v1/rooms', 'rooms', { signal: view.signal });
    redraw(list, rooms.length === 0
      ? empty('No rooms yet', 'A room holds runs, threads and one history of all that happens in it.', h('button', { class: 'button', type: 'button', on: { click: create } }, 'New room'))
      : table({ label: 'Rooms', rows: rooms, key: (room) => room.room_id, columns: [
        { head: 'Room', class: 'main', cell: (room) => [h('a', { href: href(`/rooms/${room.room_id}`) }, line(room.title, { max: 140 })), room.topic && h('span', { class: 'muted' }, '  ', line(room.topic, { max: 160 }))] },
        { head: 'Runs', sr: true, class: 'tight', from: 'tablet', cell: (room) => h('a', { href: href('/runs', { room_id: room.room_id }) }, 'Runs') },
        { head: 'Id', class: 'tight', from: 'desk', cell: (room) => idTag(room.room_id, { name: 'room id' }) },
        { head: 'Opened', end: true, cell: (room) => ago(room.created_at) },
      ] }));
  };
  fill(view.root, head(view, { title: 'Rooms', api: '/v1/rooms', aos: 'aos room list', actions: [session.canWrite && h('button', { class: 'button primary', type: 'button', on: { click: create } }, 'New room', h('kbd', null, 'n'))] }), list);
  view.keys({ n: { says: 'New room', run: () => { if (session.canWrite) create(); } } });
  await load();
  view.live((event) => event.event_type.startsWith('room.'), load);
}

function create() {
  const title = field({ label: 'Title', input: h('input', { maxlength: TITLE_MAX, required: true, autocomplete: 'off' }) });
  const topic = field({ label: 'What it is about (optional)', input: h('textarea', { rows: 2, maxlength: TOPIC_MAX }) });
  const key = newKey();
  const submit = h('button', { type: 'submit', class: 'button primary' }, 'Open the room');
  const form = h('form', { class: 'stack', on: { submit: async (event) => {
    event.preventDefault();
    title.error(title.value.trim() ? null : 'A room needs a title.');
    if (!title.value.trim()) return;
    submit.disabled = true;
    try {
      const { room_id: id } = await api.post('/v1/rooms', { title: title.value.trim(), room_mode: 'default', default_lang: document.documentElement.lang, ...(topic.value.trim() ? { topic: topic.value.trim() } : {}) }, { key });
      close();
      navigate(href(`/rooms/${id}`));
    } catch (error) {
      submit.disabled = false;
      title.error(error instanceof Problem ? sentenceOf(error) : String(error));
    }
  } } }, title.element, topic.element, h('div', { class: 'cluster end' }, submit));
  const close = openDialog({ title: 'New room', content: form });
  title.input.focus();
}
