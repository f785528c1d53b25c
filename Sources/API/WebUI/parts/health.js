// What the api checks of itself, in words; what is not known here by name is shown all the same.
//
//   issueRow(issue)                 what is wrong, and the command that mends it
//   checkRows(checks, issues)       every check of POST /v1/system/health, also of newer releases

import { h } from '../core/dom.js';
import { icon } from '../core/icons.js';
import { line, plain, visible } from '../core/text.js';
import { href } from '../core/router.js';
import { bytes } from '../core/time.js';
import { command } from './command.js';
import { json } from './json.js';

const MENDS_ANYTHING = 'aos doctor';
// check → what it is about, and the kinds of issues that make it red
const KNOWN = {
  db: ['Database', ['database_unavailable', 'commit_slow']], evt_events: ['Event log', []], evt_events_idempotency: ['Idempotency keys', []], kernel_schema_versions: ['Schema', []],
  active_incidents: ['Open incidents', ['active_incidents']], approvals: ['Waiting approvals', ['approvals_waiting']], cron_watchdog: ['Timers', ['cron_stale']], disk: ['Disk', ['disk_low']],
  dlq_backlog: ['Dead letters', ['dlq_backlog']], draining: ['Serving', ['draining']], engines: ['Engines', ['no_engine']], head_file: ['Head file', ['head_file_lagging']], kill_switch: ['Kill switch', ['kill_switch_engaged']],
  leases: ['Leases overdue', ['leases_overdue']], projection_lag: ['Read models', ['projection_lagging', 'projection_watermark_missing']], queue: ['Queue', ['queue_stale', 'no_engine']], rate_limit_flood: ['Rate limits', ['rate_limit_flood']],
};
// issue → the page where it can be done by hand
const PAGES = { active_incidents: ['/incidents', 'Incidents'], approvals_waiting: ['/approvals', 'Approvals'], queue_stale: ['/runs?status=queued', 'Queued runs'], leases_overdue: ['/runs?status=running', 'Running runs'] };
const TONES = { DOWN: ['fail', 'cross'], DEGRADED: ['wait', 'alert'], NOTICE: ['info', 'ask'] };

/** How old, in the one unit that matters. @param {number} seconds */
const age = (seconds) => seconds < 60 ? `${seconds} s` : seconds < 3600 ? `${Math.floor(seconds / 60)} min` : seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`;

const address = ([path, name]) => h('a', { class: 'button small', href: href(...withQuery(path)) }, name);
const withQuery = (path) => { const [where, search] = path.split('?'); return [where, Object.fromEntries(new URLSearchParams(search))]; };

/** @param {Object} issue of GET /v1/system/health/issues */
export function issueRow(issue) {
  const [tone, name] = TONES[issue.severity] ?? TONES.DEGRADED;
  return h('li', { class: ['note issue', tone], data: { row: '', key: `${issue.kind}-${issue.entity_id}` } },
    h('p', { class: 'issue-head', tabindex: -1 }, h('span', { class: 'tone' }, icon(name)), h('span', null, h('b', null, line(issue.summary, { max: 400 })), issue.age_sec > 0 && h('span', { class: 'muted' }, ` for ${age(issue.age_sec)}`))),
    h('div', { class: 'cluster' }, command(issue.action), PAGES[issue.kind] && address(PAGES[issue.kind])));
}

/** @param {Object} checks @param {Array<Object>} issues @returns {Array<HTMLElement>} */
export function checkRows(checks, issues) {
  const { optional, ...own } = checks ?? {};
  const all = [...Object.entries(own), ...Object.entries(optional ?? {})].filter(([, check]) => check && typeof check === 'object');
  return all.map(([name, check]) => {
    const [word, kinds] = KNOWN[name] ?? [plain(name.replaceAll('_', ' '), 60).replace(/^./, (first) => first.toUpperCase()), []];
    const isOff = check.supported === false;
    const isOK = check.ok !== false;
    const issue = issues.find((one) => kinds.includes(one.kind));
    const [tone, mark] = isOff ? ['idle', 'dash'] : isOK ? ['ok', 'check'] : TONES[issue?.severity] ?? TONES.DOWN;
    const mend = issue?.action ?? (typeof check.action === 'string' ? check.action : MENDS_ANYTHING);
    return h('li', { class: ['check', tone], data: { key: `check-${name}` } },
      h('span', { class: 'check-name' }, h('span', { class: 'tone' }, icon(mark)), h('span', null, word, h('span', { class: 'sr' }, isOff ? ': not used' : isOK ? ': fine' : ': wants attention'))),
      h('span', { class: 'check-facts muted' }, isOff ? 'not used here' : factsOf(check)),
      !isOK && !isOff && command(mend));
  });
}

/** The measured values of a check as words: counts, ages, sizes; what is nested as data. */
function factsOf(check) {
  const { ok, supported, details, action, ...own } = check;
  const all = Object.entries({ ...own, ...(details && typeof details === 'object' ? details : {}) }).filter(([, value]) => value != null && !(Array.isArray(value) && value.length === 0));
  const shown = [];
  for (const [name, value] of all) {
    if (typeof value === 'object') { shown.push(json(value, { label: name, open: 1 })); continue; }
    shown.push(h('span', { class: 'fact' }, factOf(name, value)));
  }
  return shown;
}

function factOf(name, value) {
  const word = visible(name.replace(/_(sec|ms|bytes)$/u, '').replaceAll('_', ' '));
  if (name.endsWith('_sec') && typeof value === 'number') return [word, ' ', h('b', { class: 'num' }, age(value))];
  if (name.endsWith('_ms') && typeof value === 'number') return [word, ' ', h('b', { class: 'num' }, `${value} ms`)];
  if (name.endsWith('_bytes') && typeof value === 'number') return [word, ' ', h('b', { class: 'num' }, bytes(value))];
  return [word, ' ', h('b', { class: 'num' }, typeof value === 'boolean' ? (value ? 'yes' : 'no') : typeof value === 'number' ? value.toLocaleString('en') : line(value, { max: 120 }))];
}
