// A new run: a form or a pasted plan, the same thing in two shapes, checked as one types; the plan is drawn with each step's
// verdict before it begins. State in the address: room, like (a run to do again), as (form or text).

import { fill, h } from '../core/dom.js';
import { api, newKey, Problem } from '../core/api.js';
import { href, navigate } from '../core/router.js';
import { copy, line, plain } from '../core/text.js';
import { head, quoted } from '../parts/actions.js';
import { field, segments, select } from '../parts/form.js';
import { graph } from '../parts/graph.js';
import { checkedNodes, planSteps } from '../parts/plan.js';
import { freshStep, planForm } from '../parts/planform.js';
import { runName } from '../parts/runs.js';
import { note, sentenceOf } from '../parts/states.js';
import { status } from '../parts/status.js';
import { table } from '../parts/table.js';
import { toast } from '../parts/toast.js';

const CHECK_MS = 350;
const TEXT_MAX = 1_000_000;
const FAULTS_SHOWN = 20;

export async function show(view) {
  const rooms = await api.all('/v1/rooms', 'rooms', { signal: view.signal });
  const like = view.query.text('like') && (await api.get(`/v1/runs/${encodeURIComponent(view.query.text('like'))}`, { signal: view.signal }).catch(() => null))?.run;
  // Everything a run is made of; `rest` is what a pasted one says besides.
  const draft = { title: like ? runName(like) : '', goal: like?.goal ?? '', room: view.query.text('room') || like?.room_id || rooms[0]?.room_id || '', plan: like?.input?.plan ?? { version: 1, steps: [freshStep(1)] }, input: { ...(like?.input ?? {}) }, tags: like?.tags ?? [] };
  delete draft.input.plan;
  let shape = view.query.text('as') === 'text' ? 'text' : 'form';
  let key = newKey();
  let checked = null;
  let faults = [];
  let timer = null;
  let turn = 0;
  let drawing = null;
  let isTouched = !!like;      // nobody is told what is missing before having begun

  const verdict = h('section', { class: 'card', 'aria-label': 'What it would do' });
  const editor = h('div');
  const problems = h('div', { role: 'status', 'aria-live': 'polite' });
  const start = h('button', { type: 'submit', class: 'button primary', disabled: true }, 'Start the run');
  const title = field({ label: 'Title', input: h('input', { value: draft.title, maxlength: 500, autocomplete: 'off', on: { input: (event) => { draft.title = event.target.value; } } }) });
  const room = select({ label: 'Room', value: draft.room, options: rooms.map((one) => [one.room_id, one.title.slice(0, 80)]), on: { change: (event) => { draft.room = event.target.value; later(); } } });
  let form = null;
  let text = null;

  const later = () => { isTouched = true; key = newKey(); clearTimeout(timer); timer = setTimeout(check, CHECK_MS); };

  const check = async () => {
    const mine = ++turn;
    if (draft.plan === null) return;
    try {
      const answer = await api.post('/v1/plans/check', { plan: draft.plan, ...(draft.room ? { room_id: draft.room } : {}) }, { signal: view.signal });
      if (mine !== turn) return;
      [checked, faults] = [answer, []];
    } catch (error) {
      if (mine !== turn || view.signal.aborted) return;
      checked = null;
      faults = error instanceof Problem && error.details?.faults ? error.details.faults : [{ pointer: '', detail: sentenceOf(error) }];
    }
    draw();
  };

  const draw = () => {
    const told = isTouched ? faults : [];
    const byPlace = new Map(told.map((fault) => [fault.pointer, fault.detail]));
    const rest = form ? form.setFaults(byPlace) : byPlace;
    fill(problems, rest.size > 0 && note('fail', h('b', null, rest.size === 1 ? 'One thing is wrong' : `${rest.size} things are wrong`), h('ul', { class: 'faults' }, [...rest].slice(0, FAULTS_SHOWN).map(([pointer, detail]) => h('li', null, pointer && [h('code', null, line(pointer)), ' '], line(detail, { max: 500 }))))));
    start.disabled = !checked || !draft.room;
    const nodes = checked ? checkedNodes(draft.plan, checked.steps) : planSteps(draft.plan).map((step) => ({ id: step.id, title: step.title, sub: String(step.tool ?? ''), needs: step.needs, state: isFaulty(step.id, told) ? 'failed' : 'planned' }));
    if (nodes.length > 0) {
      if (drawing) drawing.update(nodes);
      else { drawing = graph({ label: 'The plan', nodes }); view.onLeave(drawing.stop); }
    }
    const asks = checked?.steps.filter((step) => step.decision === 'require_approval').length ?? 0;
    const refused = checked?.steps.filter((step) => step.decision === 'deny').length ?? 0;
    fill(verdict, h('div', { class: 'card-head' }, h('h2', null, 'What it would do'), checked && h('span', { class: 'muted' }, [`${checked.steps.length} step${checked.steps.length === 1 ? '' : 's'}`, asks > 0 && `${asks} will ask you first`, refused > 0 && `${refused} would be refused`].filter(Boolean).join(', '))),
      nodes.length > 0 && drawing.element,
      checked && table({ label: 'Steps and verdicts', rows: checked.steps, key: (step) => step.plan_step_id, columns: [
        { head: 'Step', class: 'main', cell: (step) => [h('b', null, line(step.plan_step_id)), h('span', { class: 'muted' }, '  ', line(step.reason ?? '', { max: 200 }))] },
        { head: 'Action', from: 'tablet', class: 'tight', cell: (step) => h('code', null, line(step.action)) }, { head: 'Effect', from: 'tablet', class: 'tight', cell: (step) => step.effect }, { head: 'Verdict now', class: 'tight', cell: (step) => status(step.decision) },
      ] }),
      checked?.secret_names?.length > 0 && h('p', { class: 'calm muted' }, 'Needs the secrets ', line(checked.secret_names.join(', '))));
  };

  const isFaulty = (id, told) => {
    const index = draft.plan.steps.findIndex((step) => step?.id === id);
    return told.some((fault) => fault.pointer.startsWith(`/plan/steps/${index}/`));
  };

  const read = (value) => {
    if (value.length > TEXT_MAX) return { wrong: `The text is longer than ${TEXT_MAX.toLocaleString('en')} characters.` };
    let parsed;
    try { parsed = JSON.parse(value); } catch (error) { return { wrong: `This is not JSON yet: ${error.message}` }; }
    if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed)) return { wrong: 'Expected an object: a plan with `steps`, or a run with `plan` or `input.plan`.' };
    const plan = parsed.steps ? parsed : parsed.plan ?? parsed.input?.plan;
    if (!plan) return { wrong: 'Expected a plan with `steps`, or a run with `plan` or `input.plan`; found neither.' };
    return { plan, run: parsed.steps ? {} : parsed };
  };

  const typed = (value) => {
    const { wrong, plan, run } = read(value);
    text.error(wrong ?? null);
    if (wrong) { checked = null; draft.plan = null; faults = []; turn++; start.disabled = true; fill(problems); return; }
    draft.plan = plan;
    if (run.title && !draft.title) { draft.title = String(run.title); title.input.value = draft.title; }
    if (run.goal) draft.goal = String(run.goal);
    if (run.input) { const { plan: _, ...rest } = run.input; draft.input = rest; }
    if (Array.isArray(run.tags)) draft.tags = run.tags;
    later();
  };

  const drawEditor = () => {
    form = text = null;
    if (shape === 'form' && Array.isArray(draft.plan?.steps)) {
      form = planForm({ plan: draft.plan, onChange: later });
      fill(editor, form.element);
    } else {
      text = field({ label: 'Plan', hint: 'As JSON: a plan, or a whole run with title, goal and input.', input: h('textarea', { class: 'mono plan-text', rows: 24, spellcheck: 'false', value: draft.plan ? JSON.stringify(Object.keys(draft.input).length ? { input: { ...draft.input, plan: draft.plan } } : draft.plan, null, 2) : '', on: { input: (event) => typed(event.target.value) } }) });
      fill(editor, text.element);
    }
    draw();
  };

  const body = () => ({ room_id: draft.room, ...(draft.title.trim() ? { title: draft.title.trim() } : {}), ...(draft.goal ? { goal: draft.goal } : {}), ...(draft.tags.length ? { tags: draft.tags } : {}), input: { ...draft.input, plan: draft.plan } });

  const submit = async (event) => {
    event.preventDefault();
    if (start.disabled) return;
    start.disabled = true;
    try {
      const { run_id: id } = await api.post('/v1/runs', body(), { key });
      toast('The run is queued', 'ok');
      navigate(href(`/runs/${id}`));
    } catch (error) {
      start.disabled = false;
      faults = error instanceof Problem && error.details?.faults ? error.details.faults : [{ pointer: '', detail: sentenceOf(error) }];
      draw();
    }
  };

  const formElement = h('form', { class: 'newrun', on: { submit, keydown: (event) => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) formElement.requestSubmit(); } } },
    h('div', { class: 'stack' },
      h('div', { class: 'newrun-facts' }, title.element, rooms.length > 0 ? room.element : h('p', { class: 'muted' }, 'There is no room yet. ', h('a', { href: href('/rooms') }, 'Open one'), ' first.')),
      h('div', { class: 'spread' }, segments({ label: 'Edit as', options: [['form', 'Form'], ['text', 'Plan as text']], value: shape, onChange: (value) => { if (draft.plan === null) { toast('The text is not a plan yet', 'error'); drawEditor(); return; } shape = value; view.setQuery({ as: value === 'text' ? 'text' : null }, { replace: true }); drawEditor(); } }),
        h('button', { type: 'button', class: 'button small quiet', on: { click: () => copy(`aos run submit - <<'PLAN'\n${JSON.stringify(body(), null, 2)}\nPLAN`, 'Copied as aos') } }, 'Copy as aos')),
      editor),
    h('div', { class: 'stack newrun-side' }, problems, verdict, h('div', { class: 'cluster' }, start, h('span', { class: 'muted' }, h('kbd', null, 'Ctrl'), ' ', h('kbd', null, 'Enter')))));
  fill(view.root, head(view, { title: like ? `Run again: ${plain(runName(like), 60)}` : 'New run', api: '/v1/action-registry', aos: `aos run submit plan.json${draft.title ? ` --title ${quoted(draft.title)}` : ''}`, json: '/v1/action-registry' }), formElement);
  drawEditor();
  view.place();
  if (isTouched) await check();
  view.onLeave(() => clearTimeout(timer));
}
