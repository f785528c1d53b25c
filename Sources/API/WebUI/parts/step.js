// A step in full: what it is to do, its calls with verdicts and approvals, what came back, what it kept.
//
//   stepDetail(node, { calls, approvals, artifacts, events, canResolve, onChange })

import { fill, h } from '../core/dom.js';
import { api, newKey, session } from '../core/api.js';
import { href } from '../core/router.js';
import { idTag, line, visible } from '../core/text.js';
import { ago, between, duration, left, since } from '../core/time.js';
import { artifactRow } from './artifact.js';
import { callDetail, callOutput } from './call.js';
import { ask } from './dialog.js';
import { json } from './json.js';
import { note, sentenceOf } from './states.js';
import { status } from './status.js';
import { facts } from './table.js';
import { toast } from './toast.js';

const EFFECTS = { none: 'repeating it changes nothing', idempotent: 'repeating it gives the same', once: 'must not happen twice' };

/** @param {Object} node of plan.js @param {{calls: Array, approvals: Array, artifacts: Array, events: Array, onChange: function(): void}} of */
export function stepDetail(node, { calls, approvals, artifacts, events, onChange }) {
  const { step, plan } = node;
  const mine = step ? calls.filter((call) => call.step_id === step.step_id) : [];
  const kept = step ? artifacts.filter((artifact) => artifact.step_id === step.step_id) : [];
  return h('div', { class: 'stack' },
    h('header', { class: 'cluster' }, h('h2', { tabindex: -1 }, line(node.id)), status(node.state), node.title !== node.id && h('span', { class: 'muted' }, line(node.title, { max: 200 }))),
    facts([
      ['Tool', h('code', null, visible(node.sub))],
      ['Needs', plan?.needs?.length > 0 && line(plan.needs.join(', '))],
      ['When', plan?.when && plan.when !== 'success' && line(String(plan.when))],
      ['Retry', plan?.retry?.max_attempts > 1 && `up to ${plan.retry.max_attempts} times`],
      ['Time-out', plan?.timeout_ms && duration(plan.timeout_ms)],
      ['On failure', plan?.continue_on_error && 'the run goes on'],
      ['Began', step && ago(step.created_at)],
      ['Took', step && (step.ended_at ? duration(between(step.created_at, step.ended_at)) : since(step.created_at))],
      ['Step', step && idTag(step.step_id, { name: 'step id' })],
    ], 'flow'),
    mine.map((call) => callCard(call, { approvals, events, onChange })),
    mine.length === 0 && plan && h('section', { class: 'stack tight' }, h('h3', null, 'What it is to do'), callDetail(String(plan.tool ?? ''), plan.with)),
    mine.length === 0 && step && !plan && Object.keys(step.input ?? {}).length > 0 && h('section', { class: 'stack tight' }, h('h3', null, 'Input'), json(step.input)),
    step && mine.length === 0 && result(step),
    kept.length > 0 && h('section', { class: 'stack tight' }, h('h3', null, `Artifacts (${kept.length})`), h('div', { class: 'card' }, kept.map(artifactRow))));
}

const result = (step) => {
  const shown = callOutput(step.output, step.error);
  return shown && h('section', { class: 'stack tight' }, h('h3', null, step.status === 'failed' ? 'What went wrong' : 'Output'), shown);
};

function callCard(call, { approvals, events, onChange }) {
  const approval = approvals.find((one) => one.approval_id === call.approval_id);
  const output = callOutput(call.output, call.error);
  return h('section', { class: ['call', statusTone(call)], 'aria-label': `Call of ${call.tool_name}` },
    h('header', { class: 'cluster' }, h('h3', null, 'Call'), status(call.status), call.try_no > 1 && h('span', { class: 'muted' }, `try ${call.try_no}`),
      h('span', { class: 'muted num' }, call.ended_at ? duration(between(call.started_at, call.ended_at)) : call.status === 'running' ? since(call.started_at) : null), idTag(call.tool_call_id, { name: 'call id' })),
    callDetail(call.tool_name, call.input),
    call.status === 'unknown' && session.canWrite && resolve(call, onChange),
    output ?? (call.status === 'running' && h('p', { class: 'muted' }, 'It runs; what it gives is shown when it ends.')),
    verdict(call, approval, events));
}

const statusTone = (call) => ({ failed: 'fail', unknown: 'odd', waiting: 'wait', running: 'run', succeeded: 'ok' })[call.status] ?? 'idle';

/** What policy said: the action, the effect, refusals, the approval, and on demand the recorded decision. */
function verdict(call, approval, events) {
  const refusals = events.filter((event) => event.event_type.startsWith('policy.') && event.data.tool_call_id === call.tool_call_id);
  const invoked = events.findLast((event) => event.event_type === 'tool.invoked' && event.data.tool_call_id === call.tool_call_id);
  const why = h('div');
  return h('div', { class: 'verdict' }, facts([
    ['Action', [h('code', null, visible(call.action)), invoked ? [' ', status('allow')] : null]],
    ['Effect', [h('code', null, call.effect), h('span', { class: 'muted' }, ` ${EFFECTS[call.effect] ?? ''}`)]],
    ['Policy', refusals.length > 0 && refusals.map((event) => h('p', null, event.event_type === 'policy.denied' ? status('deny') : status('require_approval'), ' rule ', h('code', null, visible(event.data.rule_id ?? '')), h('span', { class: 'muted' }, ' ', line(event.data.reason ?? event.data.reason_code ?? '', { max: 300 }))))],
    ['Approval', approval && [status(approval.status), ' ', h('a', { href: href(`/approvals/${approval.approval_id}`) }, approval.status === 'pending' ? 'Look and decide' : 'Show it'),
      approval.status === 'pending' && approval.expires_at && h('span', { class: 'muted' }, ' ', left(approval.expires_at)),
      approval.decided_by_id && h('span', { class: 'muted' }, ' by ', line(approval.decided_by_id), approval.decision_reason && [': “', line(approval.decision_reason, { max: 200 }), '”'])]],
    ['Decision', invoked && h('details', { data: { key: `why-${call.tool_call_id}` }, on: { toggle: (event) => { if (event.currentTarget.open && !why.firstChild) explain(invoked, why); } } }, h('summary', null, 'as it was recorded'), why)],
  ]));
}

async function explain(event, box) {
  try {
    const { event: whole } = await api.get(`/v1/events/${event.event_id}`);
    fill(box, json(whole.policy_context ?? {}, { label: 'The policy decision', open: 2 }));
  } catch (error) { fill(box, h('p', { class: 'field-error' }, sentenceOf(error))); }
}

/** Nobody knows whether it took effect: a person looks and says. */
function resolve(call, onChange) {
  const settle = (outcome) => async () => {
    const answer = await ask({ title: outcome === 'succeeded' ? 'It took effect?' : 'It did not take effect?', text: 'The run goes on from what you say; it is never silently done again.', confirm: outcome === 'succeeded' ? 'It took effect' : 'It did not', reason: 'How do you know? (kept in the history)' });
    if (!answer) return;
    try {
      await api.post(`/v1/toolcalls/${call.tool_call_id}/resolve`, { outcome, ...(answer.reason ? { reason: answer.reason } : {}) }, { key: newKey() });
      toast('Settled', 'ok');
      onChange();
    } catch (error) { toast(sentenceOf(error), 'error'); }
  };
  return note('odd', h('p', null, h('b', null, 'Nobody knows whether this took effect.'), ' Its engine was lost while it ran. Look, then say:'),
    h('div', { class: 'cluster' }, h('button', { type: 'button', class: 'button', on: { click: settle('succeeded') } }, 'It took effect …'), h('button', { type: 'button', class: 'button', on: { click: settle('failed') } }, 'It did not …')));
}
