// A decision of the policy gate in words: what it said, by which rule and code, and what would let the action through.
//
//   verdictOf(event)        { decision, rule, code, … } of an event that holds one; null of any other
//   policyCard(event)       the decision explained; null without one

import { h } from '../core/dom.js';
import { href } from '../core/router.js';
import { idTag, line, visible } from '../core/text.js';
import { note } from './states.js';
import { status } from './status.js';
import { facts } from './table.js';

// rule → what it stands for, and what would let the action through
const RULES = {
  kill_switch: ['While the kill switch is on no external write starts, whatever was approved.', 'Lift the kill switch (K, or `aos kill off`). A run that waits for that goes on by itself.'],
  action_registry: ['A registered action takes its zone, and its approval before it happens.', 'What its entry in the action registry asks for.'],
  external_write: ['What leaves this machine and cannot be taken back needs a person’s yes, each time.', 'An approval of exactly these arguments; it is good once.'],
  data_access: ['Labelled data stays in its room, and is read for the purpose it is kept for.', 'The room the data belongs to; for another purpose a justification.'],
  known_action: ['What stays on this machine and inside its limits may happen by itself.', null],
  unknown_action: ['What nobody has thought about does not happen.', 'Nothing on this page: an approval does not help. Use an action that the registry or a tool of the plan knows.'],
};
const CODES = {
  action_zone_mismatch: 'Ask from the zone that the action takes. An approval cannot stand in for it.',
  action_zone_requires_high_stakes: 'An approval by a person, or the zone high_stakes.',
  action_irreversible_requires_high_stakes: 'An approval by a person: it cannot be undone.',
  action_pre_approval_required: 'An approval by a person, before it happens.',
  data_access_restricted_room_mismatch: 'Only work in the room that the restricted data belongs to.',
  data_access_purpose_hint_mismatch: 'An approval, or a justification with the request.',
  approval_allows_action: null,
};
const SAYS = { allow: 'Let through', deny: 'Refused', require_approval: 'Held until a person says yes' };
const OF_TYPE = { 'policy.denied': 'deny', 'policy.requires_approval': 'require_approval' };

/** @param {Object} event with `policy_context` where it has one
 *  @returns {?{decision: string, action: string, rule: string, code: string, reason: ?string, mode: ?string, version: ?string, hash: ?string, approval: ?string, wasLetThrough: boolean}} */
export function verdictOf(event) {
  const data = event.data ?? {};
  const context = event.policy_context ?? {};
  const decision = OF_TYPE[event.event_type] ?? context.decision;
  if (!decision) return null;
  const of = OF_TYPE[event.event_type] ? data : context;
  return {
    decision, action: String(of.action ?? data.action ?? ''), rule: String(of.rule_id ?? ''), code: String(of.reason_code ?? ''), reason: of.reason ?? null,
    mode: of.enforcement_mode ?? of.mode ?? null, version: of.policy_version ?? null, hash: of.args_hash ?? null,
    approval: of.approval_id ?? data.approval_id ?? null, wasLetThrough: decision !== 'allow' && data.blocked === false, micros: of.latency_us ?? null,
  };
}

/** @param {Object} event @returns {?HTMLElement} */
export function policyCard(event) {
  const verdict = verdictOf(event);
  if (!verdict) return null;
  const [about, remedy] = RULES[verdict.rule] ?? [null, null];
  const isApproved = verdict.code === 'approval_allows_action';
  const allows = verdict.decision === 'allow' ? null : verdict.code in CODES ? CODES[verdict.code] : remedy;
  return h('section', { class: 'card', 'aria-label': 'The policy decision' },
    h('div', { class: 'card-head' }, h('h2', null, 'Policy'), status(verdict.decision)),
    h('div', { class: 'card-body stack tight' },
      h('p', null, h('b', null, SAYS[verdict.decision] ?? line(verdict.decision)), ': ', h('code', null, visible(verdict.action)),
        isApproved ? ', because a person approved exactly this.' : verdict.reason ? [', because ', line(verdict.reason, { max: 400 }), '.'] : '.'),
      verdict.wasLetThrough && note('odd', 'Policy only watched (shadow mode): it happened all the same.'),
      facts([
        ['Rule', verdict.rule && [h('code', null, visible(verdict.rule)), about && h('p', { class: 'muted' }, about)]],
        ['Code', verdict.code && h('code', null, visible(verdict.code))],
        ['What would allow it', allows],
        ['Approval', verdict.approval && idTag(verdict.approval, { href: href(`/approvals/${verdict.approval}`), name: 'approval id' })],
        ['Arguments', verdict.hash && h('code', { class: 'hash' }, visible(verdict.hash))],
        ['Decided by', verdict.version && [h('code', null, visible(verdict.version)), verdict.mode && [' in mode ', h('code', null, visible(verdict.mode))], verdict.micros != null && h('span', { class: 'muted' }, `, in ${verdict.micros} µs`)]],
      ])));
}
