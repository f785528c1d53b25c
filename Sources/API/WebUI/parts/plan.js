// A run's plan and its steps as one list of nodes, for the graph and for the list beside it.
//
//   planNodes(run, steps, calls)     [{ id, step, title, sub, state, needs, note, plan }]
//   checkedNodes(plan, checked)      the same of a plan that has not begun, with the verdicts of POST /v1/plans/check

import { between, duration } from '../core/time.js';

/** @param {Object} run @param {Array<Object>} steps @param {Array<Object>} calls */
export function planNodes(run, steps, calls) {
  const byName = new Map(steps.filter((step) => step.plan_step_id).map((step) => [step.plan_step_id, step]));
  const unknown = new Set(calls.filter((call) => call.status === 'unknown').map((call) => call.step_id));
  const planned = planSteps(run.input?.plan);
  const nodes = planned.map((plan) => node(plan.id, byName.get(plan.id), plan, unknown));
  const known = new Set(planned.map((plan) => plan.id));
  for (const step of steps) if (!known.has(step.plan_step_id)) nodes.push(node(step.plan_step_id ?? step.step_id, step, null, unknown));
  return nodes;
}

/** The steps of a plan that are fit to draw, whatever was typed. @param {*} plan */
export function planSteps(plan) {
  const seen = new Set();
  return (Array.isArray(plan?.steps) ? plan.steps : []).filter((step) => {
    if (typeof step?.id !== 'string' || step.id === '' || seen.has(step.id)) return false;
    seen.add(step.id);
    return true;
  }).map((step) => ({ ...step, needs: Array.isArray(step.needs) ? step.needs.filter((need) => typeof need === 'string') : [] }));
}

function node(id, step, plan, unknown) {
  const state = !step ? 'planned' : unknown.has(step.step_id) ? 'unknown' : step.status === 'queued' ? 'running' : step.status;
  const took = step?.ended_at && state !== 'skipped' ? duration(between(step.created_at, step.ended_at)) : '';
  return { id, step, plan, title: plan?.title ?? step?.title ?? id, sub: String(plan?.tool ?? step?.kind ?? ''), state, needs: plan?.needs ?? [], note: took };
}

/** @param {*} plan @param {Array<Object>} checked */
export function checkedNodes(plan, checked) {
  const byID = new Map(checked.map((one) => [one.plan_step_id, one]));
  return planSteps(plan).map((step) => {
    const verdict = byID.get(step.id);
    return { id: step.id, plan: step, title: step.title ?? step.id, sub: String(step.tool ?? ''), needs: step.needs, state: verdict?.decision ?? 'planned', note: verdict && verdict.decision !== 'allow' ? '' : verdict?.effect === 'once' ? 'once' : '' };
  });
}
