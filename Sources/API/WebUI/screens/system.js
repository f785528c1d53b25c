// The machine: whether api and engines are well, and for every red line the command that mends it; leases, sandbox, storage,
// restarts, the kill switch; proof of the history on demand.

import { h, redraw } from '../core/dom.js';
import { api, session } from '../core/api.js';
import { href } from '../core/router.js';
import { icon } from '../core/icons.js';
import { idTag, line, visible } from '../core/text.js';
import { ago, left } from '../core/time.js';
import { head } from '../parts/actions.js';
import { auditCard } from '../parts/audit.js';
import { command } from '../parts/command.js';
import { checkRows, issueRow } from '../parts/health.js';
import { json } from '../parts/json.js';
import { runName } from '../parts/runs.js';
import { sentence } from '../parts/sentence.js';
import { failure, note } from '../parts/states.js';
import { status } from '../parts/status.js';
import { facts, table } from '../parts/table.js';

const REFRESH_MS = 10_000;
const STARTS_SHOWN = 6;
const CALLS_READ = 100;
const DAY_MS = 86_400_000;
const END_OF_TIME = '9999-01-01T00:00:00.000Z';
const VERDICTS = { OK: ['ok', 'check', 'All is well'], DEGRADED: ['wait', 'alert', 'Something wants attention'], DOWN: ['fail', 'cross', 'Something is down'], UNKNOWN: ['odd', 'ask', 'Its state is not known'] };

export async function show(view) {
  const top = h('div');
  const body = h('div', { class: 'stack' });
  const audit = auditCard({ signal: view.signal, isOperator: session.current?.is_operator });
  const read = (path, query) => api.get(path, { query, signal: view.signal });
  const maybe = (promise) => promise.catch((error) => { if (view.signal.aborted) throw error; return null; });

  const load = async () => {
    const isOperator = session.current?.is_operator;
    const [health, issues, ready, version, mode, killSwitch, engines, running, starts, calls] = await Promise.all([
      api.post('/v1/system/health', { schema_version: '2.1' }, { signal: view.signal }).catch((error) => ({ error })), maybe(read('/v1/system/health/issues')),
      readiness(view.signal), maybe(read('/version')), maybe(read('/health')), maybe(read('/v1/kill-switch')), maybe(read('/v1/engines')),
      maybe(read('/v1/runs', { status: 'running', limit: 100 })),
      isOperator ? maybe(read('/v1/events', { event_types: ['api.started', 'api.stopped', 'configuration.reloaded'], include_system: 1, before_recorded_at: END_OF_TIME, limit: 50 })) : null,
      maybe(read('/v1/events', { event_types: ['tool.succeeded', 'tool.failed'], before_recorded_at: END_OF_TIME, limit: CALLS_READ })),
    ]);
    draw({ health: health.error ? null : health, trouble: health.error, issues: issues?.items ?? health.summary?.top_issues ?? [], ready, version, mode, killSwitch, engines: engines?.engines ?? [], running: running?.runs ?? [], starts: starts?.events ?? null, calls: calls?.events ?? [] });
  };

  const draw = (of) => {
    const worst = of.health?.summary?.health_summary ?? (of.ready?.ok ? 'UNKNOWN' : 'DOWN');
    const [tone, mark, word] = VERDICTS[worst] ?? VERDICTS.UNKNOWN;
    redraw(top, head(view, {
      title: 'System', shown: h('span', { class: ['system-verdict', tone] }, h('span', { class: 'tone' }, icon(mark)), word),
      sub: [h('span', null, 'AgentOS ', of.version?.version ?? ''), of.health && h('span', { class: 'faint' }, 'as of ', ago(of.health.server_time))],
      api: '/v1/system/health/issues', aos: 'aos doctor',
    }));
    redraw(body,
      of.trouble && failure(of.trouble, load),
      of.issues.length > 0 ? h('ul', { class: 'stack tight', 'aria-label': 'What is wrong' }, of.issues.map(issueRow)) : !of.trouble && note('ok', 'Nothing is wrong that the api knows of.'),
      h('div', { class: 'system' },
        h('div', { class: 'stack' }, apiCard(of), engineCard(of), killCard(of.killSwitch)),
        h('div', { class: 'stack' }, of.health && h('section', { class: 'card', 'aria-label': 'Checks' }, h('div', { class: 'card-head' }, h('h2', null, 'What the api checks')), h('ul', { class: 'checks' }, checkRows(of.health.checks, of.issues))),
          otherMembers(of.health), of.starts && startsCard(of.starts))));
  };

  await load();
  view.root.append(top, body, h('div', { class: 'system-audit' }, audit));
  const timer = setInterval(() => { if (!document.hidden) load().catch(() => {}); }, REFRESH_MS);
  view.onLeave(() => clearInterval(timer));
  view.live((event) => /^(kill_switch|engine|run\.(started|requeued|completed|failed)|api|configuration|incident|approval)\b/.test(event.event_type), load);
}

/** The probe answers 503 with the same shape when something fails. */
async function readiness(signal) {
  try {
    const response = await fetch('/readyz?verbose', { headers: { accept: 'application/json' }, credentials: 'same-origin', cache: 'no-store', signal });
    return await response.json();
  } catch { return null; }
}

const yes = (isGood, word) => h('span', { class: ['tone check-name', isGood ? 'ok' : 'fail'] }, icon(isGood ? 'check' : 'cross'), word);

function apiCard({ ready, mode, starts, version }) {
  const last = starts?.findLast((event) => event.event_type === 'api.started');
  const recent = starts?.filter((event) => event.event_type === 'api.started' && Date.now() - Date.parse(event.recorded_at) < DAY_MS).length;
  const wrong = ready?.checks?.filter((check) => !check.ok) ?? [];
  return h('section', { class: 'card', 'aria-label': 'The api' }, h('div', { class: 'card-head' }, h('h2', null, 'api'), ready ? status(ready.ok ? 'active' : 'failed', ready.ok ? 'ready' : 'not ready') : status('unknown', 'no answer')),
    h('div', { class: 'card-body stack tight' }, facts([
      ['Version', version && [version.version, version.policy_version && h('span', { class: 'muted' }, ', policy ', h('code', null, visible(version.policy_version)))]],
      ['Policy', mode && (mode.enforcement_mode === 'enforce' ? yes(true, 'enforced') : yes(false, `${mode.enforcement_mode}: it watches and lets everything through`))],
      ['Started', last && [ago(last.recorded_at), recent > 1 && h('span', { class: 'muted' }, `, ${recent} starts in 24 h`)]],
      ...(ready?.checks ?? []).map((check) => [WORDS[check.name] ?? line(check.name), yes(check.ok, check.ok ? 'yes' : line(check.detail ?? 'no', { max: 200 }))]),
    ]), wrong.length > 0 && command('aos doctor'), mode && mode.enforcement_mode !== 'enforce' && command('POLICY_ENFORCEMENT_MODE=enforce', { label: 'Copy the setting' })));
}
const WORDS = { database_readable: 'Can read', database_writable: 'Can write', migrations: 'Schema is whole', not_draining: 'Takes work' };

function engineCard({ engines, running, calls, health }) {
  const active = engines.filter((engine) => engine.status === 'active');
  const seen = health?.checks?.optional?.engines?.details?.last_seen_sec;
  const sandboxed = calls.findLast((event) => event.data?.output?.sandbox);
  const sandbox = sandboxed?.data.output.sandbox;
  const held = (engine) => running.filter((run) => run.claimed_by_actor_id === engine.actor_id);
  return h('section', { class: 'card', 'aria-label': 'Engines and leases' }, h('div', { class: 'card-head' }, h('h2', null, 'Engines'), h('span', { class: 'count num' }, active.length), seen != null && h('span', { class: 'faint' }, seen < 5 ? 'heard of just now' : `last heard of ${seen} s ago`)),
    engines.length === 0 ? h('div', { class: 'card-body stack tight' }, h('p', { class: 'fail tone' }, 'No engine is known: queued runs stay queued.'), command('aos up'))
      : h('ul', { class: 'lines' }, engines.map((engine) => h('li', { data: { key: engine.engine_id } }, status(engine.status), h('span', { class: 'grow clip' }, line(engine.engine_name ?? engine.actor_id, { max: 60 }), engine.deactivated_reason && h('span', { class: 'muted' }, ' ', line(engine.deactivated_reason, { max: 80 }))),
        h('span', { class: 'muted num nowrap' }, `${held(engine).length} held`), idTag(engine.engine_id, { name: 'engine id' })))),
    engines.length > 0 && active.length === 0 && h('div', { class: 'card-body' }, command('aos up')),
    running.length > 0 && table({ label: 'Leases held', rows: running, key: (run) => run.run_id, columns: [
      { head: 'Lease on', class: 'main', cell: (run) => h('a', { href: href(`/runs/${run.run_id}`) }, line(runName(run), { max: 80 })) },
      { head: 'Held by', class: 'tight', from: 'tablet', cell: (run) => line(run.claimed_by_actor_id ?? '', { max: 40 }) },
      { head: 'Ends unless renewed', end: true, cell: (run) => run.lease_expires_at ? left(run.lease_expires_at) : '–' },
    ] }),
    h('div', { class: 'card-body' }, facts([
      ['Sandbox', sandbox ? (['off', 'none'].includes(sandbox) ? [yes(false, 'off: shell steps run as ordinary processes'), command('ENGINE_SANDBOX=auto', { label: 'Copy the setting' })] : [yes(true, line(sandbox)), h('span', { class: 'muted' }, ' around the last shell step, ', ago(sandboxed.recorded_at))]) : h('span', { class: 'muted' }, 'not known yet: no shell step has ended')],
    ])));
}

function killCard(of) {
  if (!of) return null;
  const state = of.kill_switch;
  return h('section', { class: 'card', 'aria-label': 'Kill switch' }, h('div', { class: 'card-head' }, h('h2', null, 'Kill switch'), status(of.engaged ? 'denied' : 'active', of.engaged ? 'on: external writes are stopped' : 'off')),
    h('div', { class: 'card-body stack tight' }, (state.changed_by_id || of.engaged) && facts([
      ['By', state.changed_by_id && [line(`${state.changed_by_type}:${state.changed_by_id}`), ' ', ago(state.changed_at)]],
      ['Reason', state.reason && line(state.reason, { max: 300 })],
      ['Environment', state.engaged_by_environment && 'POLICY_KILL_SWITCH_EXTERNAL_WRITE holds it on; only a reload with another value lifts it.'],
      ['Not confirmed', of.unconfirmed?.length > 0 && h('span', { class: 'fail tone' }, line(of.unconfirmed.join(', '), { max: 200 }))],
    ]), command(of.engaged ? 'aos kill off' : 'aos kill on -m "why"'), h('p', { class: 'muted' }, h('kbd', null, 'K'), ' anywhere on these pages does the same.')));
}

function startsCard(starts) {
  const shown = starts.slice(-STARTS_SHOWN).reverse();
  return h('section', { class: 'card', 'aria-label': 'Starts and stops' }, h('div', { class: 'card-head' }, h('h2', null, 'Starts and stops')),
    shown.length === 0 ? h('p', { class: 'calm muted' }, 'None in the history.') : h('ol', { class: 'news' }, shown.map((event) => {
      const words = sentence(event);
      return h('li', { data: { key: event.event_id } }, icon(event.event_type === 'api.started' ? 'play' : event.event_type === 'api.stopped' ? 'stop' : 'dot'), h('a', { class: 'grow', href: href(`/events/${event.event_id}`) }, line(words.text, { max: 160 }), event.data.recovered_leases > 0 && h('span', { class: 'muted' }, ` and gave ${event.data.recovered_leases} leases a fresh term`)), h('span', { class: 'faint nowrap' }, ago(event.recorded_at)));
    })));
}

/** What a newer api says of itself besides. */
function otherMembers(health) {
  const { schema_version, ok, workspace_id, server_time, meta, checks, summary, ...rest } = health ?? {};
  if (Object.keys(rest).length === 0) return null;
  return h('section', { class: 'card', 'aria-label': 'More' }, h('div', { class: 'card-head' }, h('h2', null, 'More')), h('div', { class: 'card-body' }, json(rest, { label: 'More', open: 2 })));
}
