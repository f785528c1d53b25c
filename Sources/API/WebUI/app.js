// The web UI: a thin consumer of /v1. This file is the table of pages and the order in which things start.
// To add a screen: screens/x.js with `show(view)` (see core/router.js), one line in ROUTES, one in PLACES if it is in the nav.

import { h } from './core/dom.js';
import { api, Problem, session, setOnSignedOut } from './core/api.js';
import { href, navigate, startRouter } from './core/router.js';
import { keys, moveRow } from './core/keys.js';
import { live } from './core/live.js';
import { startClock } from './core/time.js';
import { makeShell } from './parts/shell.js';
import { failure } from './parts/states.js';
import { startToasts } from './parts/toast.js';

const ROUTES = [
  ['/', () => import('./screens/home.js')],
  ['/runs', () => import('./screens/runs.js')],
  ['/runs/new', () => import('./screens/newrun.js')],
  ['/runs/{run_id}', () => import('./screens/run.js')],
  ['/approvals', () => import('./screens/approvals.js')],
  ['/approvals/{approval_id}', () => import('./screens/approval.js')],
  ['/rooms', () => import('./screens/rooms.js')],
  ['/rooms/{room_id}', () => import('./screens/timeline.js')],
  ['/rooms/{room_id}/threads', () => import('./screens/threads.js')],
  ['/threads/{thread_id}', () => import('./screens/thread.js')],
  ['/notifications', () => import('./screens/notifications.js')],
  ['/pipeline', () => import('./screens/pipeline.js')],
  ['/inspector', () => import('./screens/inspector.js')],
  ['/events/{event_id}', () => import('./screens/event.js')],
  ['/incidents', () => import('./screens/incidents.js')],
  ['/incidents/{incident_id}', () => import('./screens/incident.js')],
  ['/search', () => import('./screens/search.js')],
  ['/system', () => import('./screens/system.js')],
  ['/desktop-bootstrap', () => import('./screens/system.js')],
  ['/help', () => import('./screens/help.js')],
];

const PLACES = [
  { path: '/', name: 'Home', icon: 'home', key: 'g h', bottom: true },
  { path: '/approvals', name: 'Approvals', icon: 'stamp', key: 'g a', count: 'approvals', isLoud: true, bottom: true },
  { path: '/notifications', name: 'Notifications', icon: 'bell', key: 'g u' },
  { path: '/runs', name: 'Runs', icon: 'runs', key: 'g r', count: 'runs', group: 'Work', bottom: true },
  { path: '/rooms', name: 'Rooms', icon: 'rooms', key: 'g o', group: 'Work', bottom: true },
  { path: '/pipeline', name: 'Pipeline', icon: 'board', key: 'g p', group: 'Work' },
  { path: '/inspector', name: 'Inspector', icon: 'lens', key: 'g e', group: 'Look into' },
  { path: '/incidents', name: 'Incidents', icon: 'alert', key: 'g i', group: 'Look into' },
  { path: '/search', name: 'Search', icon: 'search', key: 'g f', group: 'Look into' },
  { path: '/system', name: 'System', icon: 'gauge', key: 'g s', group: 'Machine' },
  { path: '/help', name: 'Help', icon: 'ask', key: 'g ?', group: 'Machine' },
];

// Pages that belong to a place of another name.
const BELONGS = { threads: '/rooms', events: '/inspector', 'desktop-bootstrap': '/system' };

const APPROVALS_COUNTED_MAX = 100;

async function start() {
  startToasts();
  startClock();
  if (location.pathname === '/login') return signIn();
  try {
    session.current = (await api.get('/v1/ui/session')).session;
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return signIn();
    document.body.append(h('main', { class: 'page' }, h('div', { class: 'view' }, failure(error, () => location.reload()))));
    return undefined;
  }
  setOnSignedOut(() => { live.stop(); location.assign(`/login?to=${encodeURIComponent(location.pathname + location.search)}`); });
  const shell = makeShell(PLACES);
  document.body.append(shell.element);
  keys.global({
    j: { says: 'Next row', run: () => moveRow(1) },
    k: { says: 'Previous row', run: () => moveRow(-1) },
    'g n': { says: 'New run', run: () => navigate(href('/runs/new')) },
  });
  keys.start();
  shell.start();
  live.start();
  count(shell);
  await startRouter(ROUTES, shell.page, (pattern) => shell.shown(BELONGS[pattern.split('/')[1]] ?? pattern));
  return undefined;
}

/** What waits and what runs, as numbers in the nav and in the window's title. */
function count(shell) {
  let timer = null;
  const read = async () => {
    timer = null;
    try {
      const [pending, running] = await Promise.all([
        api.get('/v1/approvals', { query: { status: 'pending', limit: APPROVALS_COUNTED_MAX } }),
        api.get('/v1/runs', { query: { status: 'running', limit: APPROVALS_COUNTED_MAX } }),
      ]);
      shell.count('approvals', pending.approvals.length);
      shell.count('runs', running.runs.length);
    } catch { /* The connection's state says it. */ }
  };
  live.subscribe((events, { isResync }) => {
    if (isResync || events.some((event) => /^(approval|run)\./.test(event.event_type))) timer ??= setTimeout(read, 400);
  });
  read();
}

async function signIn() {
  const { show } = await import('./screens/login.js');
  const root = h('main', { class: 'page' });
  document.body.append(root);
  await show(root);
}

start();
