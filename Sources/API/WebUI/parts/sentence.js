// An event in words, and what a call does. What agents wrote stays in it as it is: show it with line() or block().
//
//   const { icon, tone, text, depth } = sentence(event, stepNames);      stepNames: Map(step_id → name), filled as events go by
//   callText('shell', { argv: ['wc', '-l'] })                            '$ wc -l'

import { bytes, duration, timeOfDay } from '../core/time.js';
import { shortID } from '../core/text.js';
import { quoted } from './actions.js';

const JSON_CHARS_MAX = 160;
const STEP_NAMES_MAX = 5_000;

const compact = (value) => {
  const text = JSON.stringify(value) ?? '';
  return text.length > JSON_CHARS_MAX ? `${text.slice(0, JSON_CHARS_MAX)} …` : text;
};
const why = (text) => (text ? `: ${text}` : '');

/** What a call does, in one line. @param {string} tool @param {?Object} input */
export function callText(tool, input) {
  const of = input ?? {};
  switch (tool) {
    case 'shell': {
      const network = of.network ? '  (with network)' : '';
      if (typeof of.script === 'string') {
        const lines = of.script.split('\n');
        return `$ ${lines[0]}${lines.length > 1 ? ` … (${lines.length} lines)` : ''}${network}`;
      }
      return `$ ${(of.argv ?? []).map((word) => quoted(String(word))).join(' ')}${network}`;
    }
    case 'http': return `${of.method ?? 'POST'} ${of.url ?? '?'}`;
    case 'file.read': return `read ${of.path ?? '?'}`;
    case 'file.list': return `list ${of.path ?? '.'}`;
    case 'file.write': return `write ${of.path ?? '?'}${typeof of.text === 'string' ? ` (${bytes(new Blob([of.text]).size)})` : ''}`;
    case 'sleep': return `sleep ${of.duration_ms != null ? duration(of.duration_ms) : `until ${of.until ?? '?'}`}`;
    case 'approval': return `approval of '${of.title ?? '?'}'`;
    case 'message': return `message: ${of.content_md ?? ''}`;
    default: return Object.keys(of).length ? `${tool} ${compact(of)}` : tool;
  }
}

/** 'exit 0', 'HTTP 201', '12 kB'; '' if there is nothing to say. @param {*} output */
export function resultText(output) {
  if (output?.exit_code != null) return `exit ${output.exit_code}`;
  if (output?.status != null) return `HTTP ${output.status}`;
  if (output?.size_bytes != null) return bytes(output.size_bytes);
  return '';
}

/** What a parked run waits for. @param {Object} wait */
export function waitText(wait) {
  const step = wait.plan_step_id ? `${wait.plan_step_id} ` : '';
  switch (wait.kind) {
    case 'approval': return `${step}waits for an approval`;
    case 'timer': return `${step}sleeps until ${wait.wake_at ? timeOfDay(wait.wake_at) : 'later'}`;
    case 'unknown': return `${step}waits: nobody knows whether the call took effect`;
    case 'halt': return `${step}is held by the kill switch`;
    default: return `${step}waits`;
  }
}

const REQUEUED = {
  lease_expired: 'queued again: its engine was lost', released: 'queued again: its engine gave it back',
  drained: 'queued again: its engine was stopped', wait_settled: 'queued again: what it waited for is settled',
};
const DECIDED = { approve: ['check', 'ok', 'approved'], deny: ['ban', 'fail', 'denied'], hold: ['pause', 'odd', 'put on hold'] };

// type → (data, by, name, event) → [icon, tone, text, depth]
const WORDS = {
  'run.created': (d, by) => ['circle', 'idle', `run ${d.title ? `'${d.title}'` : shortID(d.run_id)} queued by ${by}`, 0],
  'run.started': (d, by) => ['play', 'run', `started by ${by}${d.attempt_no > 1 ? `, attempt ${d.attempt_no}` : ''}`, 0],
  'run.waiting': (d) => ['clock', 'wait', (d.waits ?? []).map(waitText).join('; ') || 'waits', 0],
  'run.requeued': (d) => ['circle', 'idle', REQUEUED[d.reason] ?? `queued again: ${d.reason}`, 0],
  'run.cancel_requested': (d, by) => ['stop', 'wait', `cancel asked for by ${by}${why(d.reason)}`, 0],
  'run.cancelled': (d) => ['stop', 'idle', `cancelled${why(d.reason)}`, 0],
  'run.completed': (d) => ['check', 'ok', `succeeded${why(d.summary)}`, 0],
  'run.failed': (d) => ['cross', 'fail', `failed${why(d.message)}`, 0],
  'step.created': (d) => ['play', 'run', [d.plan_step_id ?? d.title ?? d.kind, d.title && d.title !== d.plan_step_id && d.plan_step_id ? d.title : null].filter(Boolean).join(': '), 1],
  'step.succeeded': (d, by, name) => ['check', 'ok', `${name(d.step_id)} done`, 1],
  'step.failed': (d, by, name) => ['cross', 'fail', `${name(d.step_id)} failed${why(d.message)}`, 1],
  'step.skipped': (d, by, name) => ['dash', 'idle', `${name(d.step_id)} skipped${why(d.reason)}`, 1],
  'step.cancelled': (d, by, name) => ['stop', 'idle', `${name(d.step_id)} cancelled${why(d.reason)}`, 1],
  'tool.requested': (d) => ['ask', 'wait', `asks for: ${callText(d.tool_name, d.input)}`, 2],
  'tool.invoked': (d) => ['arrow', 'run', `${callText(d.tool_name, d.input)}${d.try_no > 1 ? `  (try ${d.try_no})` : ''}`, 2],
  'tool.succeeded': (d) => ['check', 'ok', resultText(d.output) || 'done', 2],
  'tool.failed': (d) => ['cross', 'fail', d.message ?? d.error?.message ?? 'failed', 2],
  'tool.unknown': (d) => ['ask', 'odd', `outcome unknown: ${d.reason}`, 2],
  'tool.resolved': (d, by) => [d.outcome === 'succeeded' ? 'check' : 'cross', d.outcome === 'succeeded' ? 'ok' : 'fail', `settled as ${d.outcome} by ${by}${why(d.reason)}`, 2],
  'approval.requested': (d, by, name, e) => ['ask', 'wait', `needs your approval: ${d.title ?? d.action}`, e.step_id ? 2 : 0],
  'approval.decided': (d, by, name, e) => { const [icon, tone, word] = DECIDED[d.decision] ?? ['dot', 'idle', d.decision]; return [icon, tone, `${word} by ${by}${why(d.reason)}`, e.step_id ? 2 : 0]; },
  'approval.consumed': (d, by, name, e) => ['dot', 'idle', 'approval used up by this call', e.step_id ? 2 : 0],
  'approval.expired': (d, by, name, e) => ['clock', 'fail', 'approval expired: nobody decided in time', e.step_id ? 2 : 0],
  'artifact.created': (d) => ['diamond', 'odd', `artifact ${d.title ?? d.metadata?.path ?? d.kind} (${d.mime_type ?? d.kind}${d.size_bytes != null ? `, ${bytes(d.size_bytes)}` : ''})`, 2],
  'policy.denied': (d) => ['ban', 'fail', `policy: ${d.action} denied by rule ${d.rule_id} (${d.reason_code})${d.blocked === false ? '  (shadow mode: let through)' : ''}`, 2],
  'policy.requires_approval': (d) => ['stamp', 'wait', `policy: ${d.action} needs approval by rule ${d.rule_id}${d.blocked === false ? '  (shadow mode: let through)' : ''}`, 2],
  'room.created': (d, by) => ['plus', 'idle', `room '${d.title}' opened by ${by}`, 0],
  'room.updated': (d, by) => ['dot', 'idle', `room changed by ${by}${d.title ? `: now '${d.title}'` : ''}`, 0],
  'thread.created': (d, by) => ['rooms', 'idle', `thread '${d.title}' opened by ${by}`, 0],
  'message.created': (d, by) => ['rooms', 'idle', `${d.sender_type ?? ''}${d.sender_id ? `:${d.sender_id}` : by} wrote: ${d.content_md}`, 0],
  'evidence.manifest.created': (d) => ['link', 'ok', `sealed: ${d.event_count} events, root ${String(d.event_hash_root).slice(0, 23)}…`, 0],
  'incident.opened': (d) => ['alert', 'fail', `incident '${d.title}' opened (${d.severity ?? 'no severity'})`, 0],
  'incident.rca.updated': (d, by) => ['dot', 'idle', `root cause written by ${by}${why(d.rca?.summary)}`, 0],
  'incident.learning.logged': (d, by) => ['dot', 'idle', `learned${why(d.note)}`, 0],
  'incident.closed': (d, by) => ['check', 'ok', `incident closed by ${by}${why(d.reason)}`, 0],
  'experiment.created': (d, by) => ['dot', 'idle', `experiment '${d.title}' begun by ${by}`, 0],
  'experiment.updated': (d, by) => ['dot', 'idle', `experiment changed by ${by}`, 0],
  'experiment.closed': (d, by) => ['dot', 'idle', `experiment ${d.status} by ${by}${why(d.reason)}`, 0],
  'scorecard.recorded': (d) => ['dot', d.decision === 'fail' ? 'fail' : 'idle', `scorecard ${d.template_key}: ${d.decision}, ${d.score}`, 0],
  'lesson.logged': (d) => ['dot', 'idle', `lesson: ${d.summary}`, 0],
  'learning.from_failure': (d) => ['dot', 'idle', `refused: ${d.guidance}`, 2],
  'constraint.learned': (d) => ['dot', 'idle', `to remember: ${d.guidance}`, 2],
  'mistake.repeated': (d) => ['alert', 'wait', `again (${d.repeat_count}): ${d.guidance}`, 2],
  'kill_switch.engaged': (d, by) => ['power', 'fail', `kill switch ON by ${d.source === 'environment' ? 'the environment' : by}${why(d.reason)}`, 0],
  'kill_switch.lifted': (d, by) => ['power', 'ok', `kill switch off by ${d.source === 'environment' ? 'the environment' : by}${why(d.reason)}`, 0],
  'secret.leaked.detected': (d) => ['ban', 'fail', `${d.match_count} secret(s) kept out of ${d.source_event_type}: ${(d.rule_ids ?? []).join(', ')}`, 2],
  'event.erased': (d) => ['dot', 'idle', `what ${d.target_event_type} ${d.target_event_id} said was erased${why(d.reason)}`, 0],
  'event.redacted': (d) => ['dot', 'idle', `event ${d.target_event_id} redacted${why(d.reason)}`, 0],
  'engine.registered': (d, by) => ['dot', 'idle', `engine ${d.actor_id} registered by ${by}`, 0],
  'engine.deactivated': (d, by) => ['stop', 'wait', `engine ${shortID(d.engine_id)} deactivated by ${by}${why(d.reason)}`, 0],
  'engine.token.issued': (d, by) => ['dot', 'idle', `token for engine ${shortID(d.engine_id)} issued by ${by}`, 0],
  'engine.token.revoked': (d, by) => ['dot', 'idle', `token of engine ${shortID(d.engine_id)} revoked by ${by}${why(d.reason)}`, 0],
  'api.started': (d) => ['dot', 'idle', `api ${d.version} started`, 0],
  'api.stopped': (d) => ['dot', 'idle', `api stopped${why(d.reason)}`, 0],
  'configuration.reloaded': (d) => ['dot', 'idle', `configuration reloaded: ${(d.changed ?? []).join(', ')}`, 0],
  'auth.login.failed': () => ['alert', 'fail', 'a login failed: wrong passphrase', 0],
  'auth.session.issued': (d, by) => ['dot', 'idle', `${by} logged in`, 0],
};

/** @param {Object} event @param {Map<string, string>} [names] step names, kept by the caller
 *  @returns {{icon: string, tone: string, text: string, depth: number}} */
export function sentence(event, names = new Map()) {
  const data = event.data ?? {};
  const by = event.actor_type === 'service' ? event.actor_id : `${event.actor_type}:${event.actor_id}`;
  if (event.event_type === 'step.created' && names.size < STEP_NAMES_MAX) names.set(data.step_id, data.plan_step_id ?? data.title ?? data.kind);
  const name = (id) => names.get(id) ?? `step ${shortID(id)}`;
  const words = WORDS[event.event_type];
  let made;
  try { made = words?.(data, by, name, event); } catch { /* An event of another shape is shown by its type. */ }
  if (event.data === null) made = ['dot', 'idle', `${event.event_type}: what it said was erased`, 0];
  const [icon, tone, text, depth] = made ?? ['dot', 'idle', `${event.event_type} ${Object.keys(data).length ? compact(data) : ''}`, event.step_id ? 2 : 0];
  return { icon, tone, text, depth };
}

/** Types this page knows, for filters, by their first part. */
export const eventTypes = () => Object.keys(WORDS).sort();
