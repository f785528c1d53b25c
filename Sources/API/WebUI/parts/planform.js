// The steps of a plan as fields. It edits a plan object in place and tells after every change; what it has no field for stays
// as it is (the plan's text has all).
//
//   const form = planForm({ plan, onChange, faults: Map('/plan/steps/0/id' → text) });   form.element   form.setFaults(map)

import { fill, h } from '../core/dom.js';
import { icon } from '../core/icons.js';
import { field, select } from './form.js';

const STEPS_MAX = 200;
const TOOLS = ['shell', 'file.write', 'file.read', 'http', 'message', 'approval', 'sleep'];
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

// member of `with` → [label, kind, hint]
const FIELDS = {
  shell: [['script', 'Command', 'code', 'A shell script; without network unless you say so'], ['network', 'With network', 'check']],
  'file.write': [['path', 'File', 'line'], ['text', 'Text', 'code']],
  'file.read': [['path', 'File', 'line']],
  http: [['method', 'Method', 'method'], ['url', 'Address', 'line'], ['text', 'Body', 'code']],
  message: [['content_md', 'Message', 'code']],
  approval: [['title', 'What is to be decided', 'line']],
  sleep: [['duration_ms', 'Milliseconds', 'number']],
};
const FRESH = { shell: { script: '' }, 'file.write': { path: '', text: '' }, 'file.read': { path: '' }, http: { method: 'GET', url: '' }, message: { content_md: '' }, approval: { title: '' }, sleep: { duration_ms: 1000 } };

/** A step to begin with. @param {number} number */
export const freshStep = (number) => ({ id: `step_${number}`, tool: 'shell', with: { script: '' } });

/** @param {{plan: Object, onChange: function(): void}} options */
export function planForm({ plan, onChange }) {
  const list = h('ol', { class: 'stack' });
  const places = new Map();
  const element = h('div', { class: 'stack' }, list, h('div', null, h('button', { type: 'button', class: 'button', on: { click: add } }, icon('plus'), 'Add a step')));

  function add() {
    if (plan.steps.length >= STEPS_MAX) return;
    let number = plan.steps.length + 1;
    while (plan.steps.some((step) => step.id === `step_${number}`)) number++;
    const step = freshStep(number);
    const last = plan.steps[plan.steps.length - 1];
    if (last) step.needs = [last.id];
    plan.steps.push(step);
    draw();
    list.lastElementChild.querySelector('textarea, input')?.focus();
    onChange();
  }

  const draw = () => {
    places.clear();
    fill(list, plan.steps.map(card));
  };

  const card = (step, index) => {
    const at = `/plan/steps/${index}`;
    const put = (pointer, one) => { places.set(pointer, one); return one.element; };
    const others = plan.steps.filter((other) => other !== step).map((other) => other.id);
    const set = (name, value) => { if (value === '' || value === false) delete step.with[name]; else step.with[name] = value; onChange(); };
    if (typeof step.with !== 'object' || step.with === null) step.with = {};
    const withFields = (FIELDS[step.tool] ?? []).map(([name, label, kind, hint]) => put(`${at}/with/${name}`, one(step, name, label, kind, hint, set)));
    const known = new Set((FIELDS[step.tool] ?? []).map(([name]) => name));
    const more = Object.keys(step.with).filter((name) => !known.has(name));
    return h('li', { class: 'card' }, h('div', { class: 'card-head' }, h('h2', null, `Step ${index + 1}`),
      h('button', { type: 'button', class: 'icon-button', 'aria-label': `Remove step ${index + 1}`, title: 'Remove', disabled: plan.steps.length === 1, on: { click: () => { plan.steps.splice(index, 1); for (const other of plan.steps) if (other.needs) other.needs = other.needs.filter((need) => need !== step.id); draw(); onChange(); } } }, icon('cross'))),
    h('div', { class: 'card-body stack tight' },
      h('div', { class: 'step-fields' },
        put(`${at}/id`, field({ label: 'Name', input: h('input', { value: step.id ?? '', maxlength: 64, spellcheck: 'false', autocomplete: 'off', on: { change: (event) => rename(step, event.target.value.trim()) } }) })),
        put(`${at}/tool`, select({ label: 'Tool', value: step.tool, options: [...new Set([...TOOLS, step.tool])].map((tool) => [tool, tool]), on: { change: (event) => { step.tool = event.target.value; step.with = { ...FRESH[step.tool] }; delete step.effect; draw(); onChange(); } } })),
        put(`${at}/needs`, field({ label: 'Needs', hint: others.length ? null : 'Nothing comes before it', input: h('input', { value: (step.needs ?? []).join(', '), placeholder: others.slice(0, 3).join(', '), spellcheck: 'false', autocomplete: 'off', on: { input: (event) => { step.needs = event.target.value.split(/[\s,]+/).filter(Boolean); if (step.needs.length === 0) delete step.needs; onChange(); } } }) }))),
      withFields, more.length > 0 && h('p', { class: 'faint' }, `Also set: ${more.join(', ')} (in the plan’s text)`)));
  };

  const rename = (step, id) => {
    for (const other of plan.steps) if (other.needs) other.needs = other.needs.map((need) => need === step.id ? id : need);
    step.id = id;
    draw();
    onChange();
  };

  draw();
  return {
    element, draw,
    /** @param {Map<string, string>} faults pointer → what is wrong; returns those that no field shows */
    setFaults(faults) {
      const rest = new Map(faults);
      for (const [pointer, one] of places) {
        const found = [...faults].filter(([at]) => at === pointer || at.startsWith(`${pointer}/`));
        one.error(found.map(([, text]) => text).join('; ') || null);
        for (const [at] of found) rest.delete(at);
      }
      return rest;
    },
  };
}

function one(step, name, label, kind, hint, set) {
  const value = step.with[name];
  const text = (event) => set(name, event.target.value);
  const shown = typeof value === 'string' || typeof value === 'number' ? value : value == null ? '' : JSON.stringify(value);
  switch (kind) {
    case 'code': return field({ label, hint, input: h('textarea', { class: 'mono', rows: Math.min(10, Math.max(2, String(shown).split('\n').length)), spellcheck: 'false', value: shown, on: { input: text } }) });
    case 'number': return field({ label, hint, input: h('input', { type: 'number', min: 0, value: shown, on: { input: (event) => set(name, event.target.value === '' ? '' : Number(event.target.value)) } }) });
    case 'check': return field({ label, hint, isInline: true, input: h('input', { type: 'checkbox', checked: !!value, on: { change: (event) => set(name, event.target.checked) } }) });
    case 'method': return select({ label, value: shown, options: METHODS.map((method) => [method, method]), on: { change: text } });
    default: return field({ label, hint, input: h('input', { value: shown, spellcheck: 'false', autocomplete: 'off', on: { input: text } }) });
  }
}
