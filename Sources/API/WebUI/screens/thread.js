// A thread: what was said, oldest at the top, the newest in sight; and a place to say something. `message` in the address
// marks one.

import { fill, h, show as setShown } from '../core/dom.js';
import { api, newKey, session } from '../core/api.js';
import { href, navigate } from '../core/router.js';
import { icon } from '../core/icons.js';
import { idTag, line, plain } from '../core/text.js';
import { day } from '../core/time.js';
import { head } from '../parts/actions.js';
import { field } from '../parts/form.js';
import { message } from '../parts/message.js';
import { sentenceOf } from '../parts/states.js';
import { say, toast } from '../parts/toast.js';

const PAGE = 50;
const PAGES_MAX = 100;
const TEXT_MAX = 65_536;
const NEAR_END_PX = 80;

export async function show(view) {
  const id = view.params.thread_id;
  const path = `/v1/threads/${encodeURIComponent(id)}`;
  const list = h('ol', { class: 'messages-list' });
  const more = h('button', { type: 'button', class: 'button small', on: { click: () => older() } }, 'Older messages');
  const moreRow = h('p', { class: 'more-row', hidden: true }, more);
  const none = h('p', { class: 'muted', hidden: true }, 'Nothing has been said yet.');
  const scroller = h('div', { class: 'messages', tabindex: 0, role: 'log', 'aria-label': 'What was said' }, h('div', { class: 'messages-inner' }, moreRow, none, list));
  const news = h('button', { type: 'button', class: 'button small news-button', hidden: true, on: { click: () => toEnd() } });
  const wanted = view.query.text('message');
  let messages = [];
  let cursor = null;
  let answered = null;
  let unseen = 0;

  const page = (from) => api.get(`${path}/messages`, { query: { limit: PAGE, cursor: from }, signal: view.signal });
  const isAtEnd = () => scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - NEAR_END_PX;
  const toEnd = () => { scroller.scrollTop = scroller.scrollHeight; unseen = 0; setShown(news, false); };

  const draw = () => {
    const byID = new Map(messages.map((one) => [one.message_id, one]));
    let last = null;
    // What is drawn already stays: a reader may be selecting it.
    const drawn = new Map([...list.children].map((child) => [child.dataset.of, child]));
    const next = [];
    for (const one of messages) {
      const date = day(one.created_at);
      if (date !== last) next.push(drawn.get(`day-${date}`) ?? h('li', { class: 'message-day faint', data: { of: `day-${date}` } }, date));
      last = date;
      const element = drawn.get(one.message_id) ?? message(one, { parent: byID.get(one.parent_message_id), isMarked: one.message_id === wanted, onReply: session.canWrite ? reply : null });
      element.dataset.of = one.message_id;
      next.push(element);
    }
    list.replaceChildren(...next);
    setShown(none, messages.length === 0);
    setShown(moreRow, cursor != null);
  };

  const older = async () => {
    if (cursor == null) return;
    more.disabled = true;
    try {
      const answer = await page(cursor);
      cursor = answer.messages.length < PAGE ? null : answer.next_cursor;
      const height = scroller.scrollHeight - scroller.scrollTop;
      messages = [...answer.messages.reverse(), ...messages];
      draw();
      scroller.scrollTop = scroller.scrollHeight - height;
    } catch (error) { if (!view.signal.aborted) toast(sentenceOf(error), 'error'); } finally { more.disabled = false; }
  };

  const newer = async () => {
    const known = new Set(messages.map((one) => one.message_id));
    const added = [];
    let from = null;
    for (let count = 0; count < PAGES_MAX; count++) {
      const answer = await page(from);
      const fresh = answer.messages.filter((one) => !known.has(one.message_id));
      added.push(...fresh);
      from = answer.next_cursor;
      if (fresh.length < answer.messages.length || from == null || answer.messages.length === 0) break;
    }
    if (added.length === 0) return;
    const wasAtEnd = isAtEnd();
    messages = [...messages, ...added.reverse()];
    draw();
    if (wasAtEnd) toEnd();
    else { unseen += added.length; fill(news, `${unseen} new`, icon('down')); setShown(news, true); }
    say(`${plain(added[added.length - 1].sender_id, 60)} wrote: ${plain(added[added.length - 1].content_md, 200)}`);
  };

  // What is being said.
  const text = field({ label: 'Say something', isHidden: true, input: h('textarea', { rows: 2, maxlength: TEXT_MAX, placeholder: 'Say something … (Ctrl+Enter sends)', on: { keydown: (event) => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit(); } } }) });
  const to = h('p', { class: 'message-parent muted', hidden: true });
  const send = h('button', { type: 'submit', class: 'button primary' }, 'Send');
  let key = newKey();
  const form = h('form', { class: 'composer', on: { submit: async (event) => {
    event.preventDefault();
    if (text.value.trim() === '') { text.input.focus(); return; }
    send.disabled = true;
    try {
      await api.post(`${path}/messages`, { content_md: text.value, lang: document.documentElement.lang, ...(answered ? { parent_message_id: answered.message_id } : {}) }, { key });
      key = newKey();
      text.input.value = '';
      text.error(null);
      reply(null);
      await newer();
      toEnd();
    } catch (error) { if (!view.signal.aborted) text.error(sentenceOf(error)); } finally { send.disabled = false; }
    text.input.focus();
  } } }, to, h('div', { class: 'composer-row' }, text.element, send));

  function reply(of) {
    answered = of;
    setShown(to, !!of);
    if (!of) return;
    fill(to, icon('back'), 'to ', h('b', null, line(of.sender_id, { max: 40 })), ' ', h('span', { class: 'grow clip' }, line(of.content_md, { max: 100 })), h('button', { type: 'button', class: 'icon-button', 'aria-label': 'Do not reply to it', on: { click: () => { reply(null); text.input.focus(); } } }, '×'));
    text.input.focus();
  }

  const [{ thread }, first] = await Promise.all([api.get(path, { signal: view.signal }), page(null)]);
  messages = first.messages.reverse();
  cursor = messages.length < PAGE ? null : first.next_cursor;
  for (let count = 0; wanted && cursor != null && count < PAGES_MAX && !messages.some((one) => one.message_id === wanted); count++) {
    const answer = await page(cursor);
    messages = [...answer.messages.reverse(), ...messages];
    cursor = answer.messages.length < PAGE ? null : answer.next_cursor;
  }
  const room = await api.get(`/v1/rooms/${thread.room_id}`, { signal: view.signal }).then((answer) => answer.room).catch(() => null);
  view.root.classList.add('full');
  draw();
  fill(view.root, head(view, {
    title: plain(thread.title, 80), shown: line(thread.title, { max: 200 }),
    sub: [h('a', { href: href(`/rooms/${thread.room_id}/threads`) }, 'in ', room ? line(room.title, { max: 60 }) : 'its room'), idTag(id, { name: 'thread id' }), thread.status !== 'open' && line(thread.status)],
    api: `${path}/messages`, aos: `aos thread view ${id}`,
  }), h('div', { class: 'talk' }, scroller, news), session.canWrite ? form : h('p', { class: 'muted' }, 'You are signed in read only: you cannot say anything here.'));
  view.place();
  const marked = wanted && list.querySelector('.marked');
  if (marked) { marked.scrollIntoView({ block: 'center' }); requestAnimationFrame(() => marked.focus({ preventScroll: true })); } else toEnd();
  if (wanted && !marked) toast('That message is not here: it is too far back, or of another thread.', 'error');
  scroller.addEventListener('scroll', () => { if (isAtEnd()) { unseen = 0; setShown(news, false); } }, { passive: true });
  view.keys({
    i: { says: 'Say something', run: () => text.input.focus() },
    r: { says: 'Reply to the marked message', run: () => { const of = messages.find((one) => one.message_id === document.activeElement?.closest('.message')?.id); if (of && session.canWrite) reply(of); } },
    G: { says: 'To the newest', run: toEnd },
    u: { says: 'Back to the threads', run: () => navigate(href(`/rooms/${thread.room_id}/threads`)) },
  });
  view.live((event) => event.event_type === 'message.created' && (event.data?.thread_id ?? event.thread_id) === id, newer);
}
