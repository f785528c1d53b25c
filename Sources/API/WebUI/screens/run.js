// A run: its plan as a graph with what each step has come to, every call with its verdict and output, what it kept, who held
// it; and all of that as it was at any event of its history. State in the address: step, at_seq.

import { fill, h, redraw, show as setShown } from '../core/dom.js';
import { api, newKey, session } from '../core/api.js';
import { href, navigate } from '../core/router.js';
import { icon } from '../core/icons.js';
import { dotted, idTag, line, plain } from '../core/text.js';
import { ago, between, clock, duration, exact } from '../core/time.js';
import { head } from '../parts/actions.js';
import { callOutput } from '../parts/call.js';
import { ask } from '../parts/dialog.js';
import { graph } from '../parts/graph.js';
import { json } from '../parts/json.js';
import { artifactRow } from '../parts/artifact.js';
import { planNodes } from '../parts/plan.js';
import { runName, stillGoing, took } from '../parts/runs.js';
import { makeScrubber } from '../parts/scrub.js';
import { waitText } from '../parts/sentence.js';
import { note, sentenceOf } from '../parts/states.js';
import { status, statusIcon } from '../parts/status.js';
import { stepDetail } from '../parts/step.js';
import { facts, table } from '../parts/table.js';
import { toast } from '../parts/toast.js';

const EVENTS_MAX = 5_000;
const SCRUB_MS = 80;

export async function show(view) {
  const id = view.params.run_id;
  const path = `/v1/runs/${encodeURIComponent(id)}`;
  const top = h('div');
  const waits = h('div');
  const drawing = h('div', { class: 'card graph-card' });
  const steps = h('nav', { class: 'card steps', 'aria-label': 'Steps' });
  const detail = h('section', { class: 'card detail', 'aria-label': 'Details', data: { key: 'detail' } });
  let now = null;            // the newest snapshot
  let snap = null;           // what is shown
  let nodes = [];
  let events = [];
  let plan = null;
  let turn = 0;
  let timer = null;

  const read = (seq) => api.get(`${path}/snapshot`, { query: { at_seq: seq }, signal: view.signal });

  const readEvents = async () => {
    const from = events[events.length - 1]?.global_seq;
    const added = await api.all('/v1/events', 'events', { query: { run_id: id, limit: 500, ...(from ? { cursor: from } : {}) }, signal: view.signal, max: EVENTS_MAX });
    events = [...events, ...added.filter((event) => !from || event.global_seq > from)].slice(0, EVENTS_MAX);
    scrubber.setEvents(events);
  };

  const load = async () => {
    const mine = ++turn;
    const seq = view.query.number('at_seq');
    const [latest, then] = await Promise.all([read(null), seq == null ? null : read(seq)]);
    await readEvents();
    if (mine !== turn) return;
    now = latest;
    snap = then ?? latest;
    scrubber.set(seq);
    draw();
  };

  const scrubber = makeScrubber({ onPick: (seq) => {
    view.setQuery({ at_seq: seq }, { replace: true });
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const mine = ++turn;
      try {
        const next = seq == null ? now : await read(seq);
        if (mine !== turn) return;
        snap = next;
        draw();
      } catch (error) { if (!view.signal.aborted) toast(sentenceOf(error), 'error'); }
    }, SCRUB_MS);
  } });

  const choose = (step, { focus = false } = {}) => {
    view.setQuery({ step }, { replace: true });
    plan?.pick(step);
    drawSteps();
    drawDetail();
    if (focus) detail.querySelector('h2')?.focus();
  };

  const draw = () => {
    nodes = planNodes(snap.run, snap.steps, snap.tool_calls);
    drawTop();
    drawWaits();
    if (nodes.length > 0) {
      if (plan) plan.update(nodes);
      else { plan = graph({ label: 'The plan', nodes, onPick: (step) => choose(step) }); fill(drawing, plan.element); view.onLeave(plan.stop); }
      plan.pick(view.query.text('step') || null);
    }
    setShown(drawing, nodes.length > 0);
    drawSteps();
    drawDetail();
  };

  const drawTop = () => {
    const { run } = snap;
    const isPast = scrubber.isPast;
    redraw(top, head(view, {
      title: plain(runName(run)), shown: line(runName(run), { max: 300 }),
      sub: [status(run.status), idTag(run.run_id, { name: 'run id' }), run.room_id && h('a', { href: href(`/rooms/${run.room_id}`, { run: id }) }, 'Timeline'), h('span', null, 'queued ', ago(run.created_at)), run.started_at && h('span', null, stillGoing(run) ? 'for ' : 'took ', isPast && stillGoing(run) ? duration(between(run.started_at, pointInTime()?.recorded_at)) : took(run)), run.attempt_no > 1 && h('span', null, `attempt ${run.attempt_no}`), run.goal && run.goal !== run.title && h('span', { class: 'goal' }, line(run.goal, { max: 300 }))],
      actions: [session.canWrite && stillGoing(now.run) && !isPast && h('button', { type: 'button', class: 'button danger', data: { key: 'cancel' }, disabled: !!now.run.cancel_requested_at, on: { click: cancel } }, icon('stop'), now.run.cancel_requested_at ? 'Being cancelled' : 'Cancel', h('kbd', null, 'c')),
        session.canWrite && run.has_plan && h('a', { class: 'button', href: href('/runs/new', { like: id }) }, 'Run again …')],
      api: view.query.number('at_seq') == null ? path : `${path}/snapshot?at_seq=${view.query.number('at_seq')}`, aos: stillGoing(now.run) ? `aos run watch ${id}` : `aos run show ${id}`,
    }));
  };

  const drawWaits = () => {
    const { run } = snap;
    if (scrubber.isPast) {
      const point = pointInTime();
      redraw(waits, note('wait', h('b', null, 'As it was '), point && clock(point.recorded_at), ' — not now. ', h('button', { type: 'button', class: 'button small', data: { key: 'now' }, on: { click: () => scrubber.keys['0'].run() } }, 'Back to now', h('kbd', null, '0'))));
      return;
    }
    const list = run.status === 'waiting' ? run.waits : [];
    redraw(waits, list.map((wait) => note(wait.kind === 'timer' ? 'info' : 'wait', h('div', { class: 'spread' }, h('span', null, line(waitText(wait))),
      wait.kind === 'approval' && wait.approval_id && h('a', { class: 'button primary', href: href(`/approvals/${wait.approval_id}`), data: { key: `wait-${wait.approval_id}` } }, 'Look and decide', h('kbd', null, 'a')),
      wait.kind === 'unknown' && wait.plan_step_id && h('button', { type: 'button', class: 'button', on: { click: () => choose(wait.plan_step_id, { focus: true }) } }, 'Settle it'),
      wait.kind === 'halt' && h('span', { class: 'muted' }, 'It goes on by itself when the kill switch is lifted.')))),
    run.status === 'failed' && note('fail', h('b', null, 'Failed'), run.summary || run.error?.message ? [': ', line(run.summary ?? run.error.message, { max: 500 })] : '.', failedStep() && [' ', h('button', { type: 'button', class: 'button small', data: { key: 'failed' }, on: { click: () => choose(failedStep().id, { focus: true }) } }, 'Show the step')]));
  };
  const pointInTime = () => events.findLast((event) => event.global_seq <= view.query.number('at_seq'));
  const failedStep = () => nodes.find((node) => node.state === 'failed');

  const drawSteps = () => {
    const picked = view.query.text('step');
    const entry = (step, ...content) => h('li', null, h('button', { type: 'button', class: 'step-button', 'aria-pressed': String(step === picked), data: { key: `step-${step}` }, on: { click: () => choose(step) } }, content));
    redraw(steps, h('ol', { data: { key: 'steps' } }, entry('', icon('runs'), h('span', { class: 'grow' }, 'The run')),
      nodes.map((node) => entry(node.id, statusIcon(node.state), h('span', { class: 'grow clip' }, line(node.id, { max: 64 }), h('span', { class: 'faint' }, ' ', line(node.sub, { max: 30 }))), h('span', { class: 'faint num' }, node.note)))));
  };

  const drawDetail = () => {
    const node = nodes.find((one) => one.id === view.query.text('step'));
    redraw(detail, h('div', { class: 'card-body' }, node
      ? stepDetail(node, { calls: snap.tool_calls, approvals: snap.approvals, artifacts: snap.artifacts, events: seenEvents(), onChange: load })
      : runDetail(snap)));
  };
  const seenEvents = () => { const seq = view.query.number('at_seq'); return seq == null ? events : events.filter((event) => event.global_seq <= seq); };

  const cancel = async () => {
    if (!session.canWrite || !stillGoing(now.run) || now.run.cancel_requested_at) return;
    const answer = await ask({ title: 'Cancel this run?', text: 'Its processes are ended; steps with `when: always` still clean up. What has been done stays done.', confirm: 'Cancel the run', isDanger: true, reason: 'Why (kept in the history)', cancel: 'Let it run' });
    if (!answer) return;
    try {
      await api.post(`${path}/cancel`, answer.reason ? { reason: answer.reason } : {}, { key: newKey() });
      toast('Asked for its end');
      await load();
    } catch (error) { toast(sentenceOf(error), 'error'); }
  };

  const move = (by) => {
    const all = ['', ...nodes.map((node) => node.id)];
    const next = all[Math.max(0, Math.min(all.length - 1, all.indexOf(view.query.text('step')) + by))];
    choose(next);
    [...steps.querySelectorAll('button')].find((button) => button.dataset.key === `step-${next}`)?.focus();
  };

  await load();
  fill(view.root, top, waits, h('div', { class: 'run-page' }, scrubber.element, drawing, h('div', { class: 'run-columns' }, steps, detail)));
  view.keys({
    ...scrubber.keys,
    j: { says: 'Next step', run: () => move(1) }, k: { says: 'Previous step', run: () => move(-1) },
    c: { says: 'Cancel the run', run: cancel },
    a: { says: 'The approval it waits for', run: () => { const wait = now.run.waits.find((one) => one.approval_id); if (wait) navigate(href(`/approvals/${wait.approval_id}`)); } },
    f: { says: 'The step that failed', run: () => { if (failedStep()) choose(failedStep().id, { focus: true }); } },
  });
  view.onQuery(load);
  view.onLeave(() => { scrubber.stop(); clearTimeout(timer); });
  view.live((event) => event.run_id === id || event.data?.run_id === id, load);
}

function runDetail({ run, attempts, artifacts }) {
  const output = callOutput(run.output, run.error);
  const input = { ...(run.input ?? {}) };
  return h('div', { class: 'stack' },
    h('h2', { tabindex: -1 }, 'The run'),
    facts([
      ['State', status(run.status)], ['Goal', run.goal && line(run.goal, { max: 1000 })], ['Queued', exact(run.created_at)], ['Started', run.started_at && exact(run.started_at)], ['Ended', run.ended_at && exact(run.ended_at)],
      ['Held by', run.claimed_by_actor_id && line(run.claimed_by_actor_id)], ['Lease', run.lease_expires_at && h('span', { class: 'num' }, 'until ', clock(run.lease_expires_at))],
      ['Cancel', run.cancel_requested_at && ['asked for ', ago(run.cancel_requested_at), run.cancel_reason && [': ', line(run.cancel_reason, { max: 300 })]]],
      ['Tags', run.tags?.length > 0 && line(run.tags.join(', '))], ['Experiment', run.experiment_id && idTag(run.experiment_id)],
      ['Belongs to', idTag(run.correlation_id, { href: href('/inspector', { correlation_id: run.correlation_id }), name: 'correlation id' })],
    ]),
    output && h('section', { class: 'stack tight' }, h('h3', null, run.status === 'failed' ? 'What went wrong' : 'Output'), output),
    artifacts.length > 0 && h('section', { class: 'stack tight' }, h('h3', null, `Artifacts (${artifacts.length})`), h('div', { class: 'card' }, artifacts.map(artifactRow))),
    attempts.length > 0 && h('section', { class: 'stack tight' }, h('h3', null, 'Attempts and leases'), table({ label: 'Attempts', rows: attempts, key: (attempt) => attempt.run_attempt_id, columns: [
      { head: 'No', cell: (attempt) => attempt.attempt_no }, { head: 'Held by', cell: (attempt) => line(attempt.claimed_by_actor_id, { max: 60 }) }, { head: 'From', cell: (attempt) => clock(attempt.claimed_at) },
      { head: 'Held for', cell: (attempt) => attempt.released_at ? duration(between(attempt.claimed_at, attempt.released_at)) : took({ started_at: attempt.claimed_at }) }, { head: 'Ended by', cell: (attempt) => attempt.released_at ? line(attempt.release_reason ?? '') : status('running', 'holds it') },
    ] })),
    h('section', { class: 'stack tight' }, h('h3', null, 'Input'), json(input, { label: 'Input', open: 1 })),
    !stillGoing(run) && evidence(run));
}

/** The seal of a run that has ended, read when asked for. */
function evidence(run) {
  const box = h('div');
  return h('details', { data: { key: 'evidence' }, on: { toggle: async (event) => {
    if (!event.currentTarget.open || box.firstChild) return;
    try {
      const { evidence: of } = await api.get(`/v1/runs/${run.run_id}/evidence`);
      fill(box, facts([['Events', dotted([of.event_count, `stream ${of.from_seq} to ${of.to_seq}`])], ['Root', h('code', null, of.event_hash_root)], ['Manifest', h('code', null, of.manifest_hash)], ['Sealed', exact(of.finalized_at)]]), json(of.manifest, { label: 'Manifest', open: 1 }));
    } catch (error) { fill(box, h('p', { class: 'muted' }, sentenceOf(error))); }
  } } }, h('summary', null, 'Evidence: the seal over its history'), box);
}
