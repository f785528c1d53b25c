// Home: what waits for me, what runs, what failed, what changed since I last looked.

import { h, redraw } from '../core/dom.js';
import { api, session } from '../core/api.js';
import { href } from '../core/router.js';
import { icon } from '../core/icons.js';
import { dotted, line } from '../core/text.js';
import { ago, left } from '../core/time.js';
import { head } from '../parts/actions.js';
import { runName, runNote, took } from '../parts/runs.js';
import { sentence } from '../parts/sentence.js';
import { note, sentenceOf } from '../parts/states.js';
import { statusIcon } from '../parts/status.js';
import { toast } from '../parts/toast.js';

const SHOWN = 8;
const NEWS_SHOWN = 60;
const FAILED_HOURS = 24;
// What a person would tell somebody who was away; the small steps are in the run's own page.
const TOLD = /^(run\.(created|completed|failed|cancelled)|approval\.(requested|decided|expired)|artifact\.|message\.|thread\.|room\.|incident\.|kill_switch\.|experiment\.|scorecard\.|lesson\.|secret\.|engine\.(registered|deactivated)|tool\.(unknown|resolved)|mistake\.|auth\.login)/;

export async function show(view) {
  const read = (path, query) => api.get(path, { query, signal: view.signal });
  let mark = (await read('/v1/ui/marks').catch(() => ({ marks: {} }))).marks?.home ?? null;

  const titles = new Map();

  const load = async () => {
    const [pending, held, running, waiting, queued, failed, recent, issues, news] = await Promise.all([
      read('/v1/approvals', { status: 'pending', limit: 50 }), read('/v1/approvals', { status: 'held', limit: 50 }),
      read('/v1/runs', { status: 'running', limit: 50 }), read('/v1/runs', { status: 'waiting', limit: 50 }), read('/v1/runs', { status: 'queued', limit: 50 }),
      read('/v1/runs', { status: 'failed', limit: 50 }), read('/v1/runs', { limit: 100 }), read('/v1/system/health/issues').catch(() => ({ items: [] })), changes(),
    ]);
    const now = Date.now();
    const asks = [...pending.approvals, ...held.approvals];
    const unknown = waiting.runs.flatMap((run) => run.waits.filter((wait) => wait.kind === 'unknown').map((wait) => ({ run, wait })));
    const going = [...running.runs, ...waiting.runs, ...queued.runs];
    for (const run of recent.runs) titles.set(run.run_id, runName(run));
    const broken = failed.runs.filter((run) => now - Date.parse(run.activity_at) < FAILED_HOURS * 3_600_000);
    const wrong = issues.items.filter((issue) => !['active_incidents', 'approvals_waiting', 'kill_switch_engaged'].includes(issue.kind));
    redraw(view.root,
      head(view, { title: 'Home', shown: summary(asks.length + unknown.length, running.runs.length, broken.length), api: '/v1/pipeline/projection?format=envelope', aos: 'aos status', actions: [session.canWrite && h('a', { class: 'button primary', href: href('/runs/new') }, icon('plus'), 'New run')] }),
      wrong.length > 0 && h('ul', { class: 'stack tight issues', 'aria-label': 'What is wrong' }, wrong.map((issue) => h('li', null, note(issue.severity === 'DOWN' ? 'fail' : 'wait', h('b', null, line(issue.summary)), ' ', line(issue.action, { max: 400 }))))),
      h('div', { class: 'home' },
        h('div', { class: 'stack' },
          card('Waits for you', asks.length + unknown.length, href('/approvals'), asks.length + unknown.length === 0
            ? calm('Nothing waits for your decision.')
            : [asks.slice(0, SHOWN).map(askRow), unknown.map(unknownRow)]),
          card('Going on', going.length, href('/runs'), going.length === 0 ? calm('No run is queued, running or waiting.') : going.slice(0, SHOWN * 2).map(runRow)),
          card(`Failed in the last ${FAILED_HOURS} h`, broken.length, href('/runs', { status: 'failed' }), broken.length === 0 ? calm('Nothing failed.') : broken.slice(0, SHOWN).map(runRow))),
        newsCard(news)));
  };

  const changes = async () => {
    const query = mark == null ? { limit: NEWS_SHOWN, before_recorded_at: '9999-01-01T00:00:00.000Z' } : { limit: 500, cursor: mark };
    const { events, next_cursor: more } = await read('/v1/events', query);
    return { events, hasMore: mark != null && events.length >= 500 && more != null };
  };

  const newsCard = ({ events, hasMore }) => {
    const names = new Map();
    const told = events.map((event) => ({ event, words: sentence(event, names) }));
    const shown = told.filter(({ event }) => TOLD.test(event.event_type)).slice(-NEWS_SHOWN).reverse();
    const small = events.length - shown.length;
    const last = events[events.length - 1]?.global_seq;
    return h('section', { class: 'card', 'aria-label': 'Since you last looked' },
      h('div', { class: 'card-head' }, h('h2', null, mark == null ? 'What happened' : 'Since you last looked'), h('span', { class: 'count' }, hasMore ? '500+' : events.length),
        last != null && session.canWrite && h('button', { type: 'button', class: 'button small', data: { key: 'seen', last }, on: { click: () => seen(last) } }, icon('check'), 'Seen')),
      shown.length === 0 ? calm(events.length ? 'Only small steps of runs.' : 'Nothing new.') : h('ol', { class: 'news' }, shown.map(({ event, words }) =>
        h('li', { class: words.tone, data: { row: '', key: event.event_id } }, h('span', { class: 'tone' }, icon(words.icon)),
          h(addressOf(event) ? 'a' : 'span', { class: 'grow', href: addressOf(event) }, titles.has(event.run_id) && event.event_type !== 'run.created' && [h('b', null, line(titles.get(event.run_id), { max: 60 })), ' '], line(words.text, { max: 180 })),
          h('span', { class: 'faint nowrap' }, ago(event.recorded_at))))),
      shown.length > 0 && small > 0 && h('p', { class: 'calm faint' }, `and ${small} small steps`));
  };

  const seen = async (seq) => {
    try {
      await api.post('/v1/ui/marks', { marks: { home: seq } });
      mark = seq;
      await load();
    } catch (error) { toast(sentenceOf(error), 'error'); }
  };

  await load();
  view.live(() => true, load);
}

const summary = (waits, running, failed) => {
  const some = (count, one, many) => `${count} ${count === 1 ? one : many}`;
  if (waits + running + failed === 0) return 'All quiet';
  return [waits > 0 && `${some(waits, 'decision waits', 'decisions wait')} for you`, running > 0 && `${some(running, 'run is', 'runs are')} going`, failed > 0 && `${failed} failed`].filter(Boolean).join(', ').replace(/^./, (first) => first.toUpperCase());
};

const addressOf = (event) => event.data.approval_id && event.event_type === 'approval.requested' ? href(`/approvals/${event.data.approval_id}`)
  : event.run_id ? href(`/runs/${event.run_id}`) : event.room_id ? href(`/rooms/${event.room_id}`, { seq: event.stream_seq }) : null;

const calm = (text) => h('p', { class: 'calm muted' }, text);

const card = (title, count, address, content) => h('section', { class: 'card', 'aria-label': title },
  h('div', { class: 'card-head' }, h('h2', null, title), h('span', { class: 'count num' }, count), h('a', { href: address, 'aria-label': `All: ${title}` }, 'All')),
  Array.isArray(content) ? h('ul', { class: 'lines' }, content) : content);

const askRow = (approval) => h('li', { data: { row: '', key: approval.approval_id } }, statusIcon(approval.status),
  h('a', { class: 'grow', href: href(`/approvals/${approval.approval_id}`) }, line(approval.title ?? approval.action, { max: 160 })),
  h('span', { class: 'faint nowrap' }, approval.expires_at ? left(approval.expires_at) : ago(approval.requested_at)));

const unknownRow = ({ run, wait }) => h('li', { data: { row: '', key: `${run.run_id}-${wait.tool_call_id}` } }, statusIcon('unknown'),
  h('a', { class: 'grow', href: href(`/runs/${run.run_id}`, { step: wait.plan_step_id }) }, 'Did it take effect? ', line(runName(run), { max: 120 }), ', step ', line(wait.plan_step_id ?? '')),
  h('span', { class: 'faint nowrap' }, ago(run.activity_at)));

const runRow = (run) => h('li', { data: { row: '', key: run.run_id } }, statusIcon(run.status),
  h('a', { class: 'grow', href: href(`/runs/${run.run_id}`) }, dotted([line(runName(run), { max: 120 }), runNote(run) && h('span', { class: 'muted' }, line(runNote(run), { max: 140 }))])),
  h('span', { class: 'faint nowrap' }, run.status === 'running' ? took(run) : ago(run.activity_at)));
