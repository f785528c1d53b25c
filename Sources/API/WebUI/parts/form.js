// Fields with a label, a hint and a place for what is wrong with them.
//
//   const title = field({ label: 'Title', hint: 'Optional', input: h('input', { name: 'title', maxlength: 200 }) });
//   root.append(title.element);   title.error('too long');   title.value
//   select({ label: 'Room', options: [['', 'any room'], [id, name]], value, on: { change } })

import { h, uid } from '../core/dom.js';

/** @param {{label: string, input: HTMLElement, hint?: *, isInline?: boolean, isHidden?: boolean}} options isHidden: the label is for a screen reader only */
export function field({ label, input, hint, isInline = false, isHidden = false }) {
  const id = uid('field');
  input.id = id;
  const hintID = hint ? `${id}-hint` : null;
  const errorID = `${id}-error`;
  const wrong = h('p', { class: 'field-error', id: errorID, hidden: true, role: 'alert' });
  const describe = (isWrong) => {
    const ids = [hintID, isWrong && errorID].filter(Boolean).join(' ');
    if (ids) input.setAttribute('aria-describedby', ids);
    else input.removeAttribute('aria-describedby');
  };
  describe(false);
  const element = h('div', { class: ['field', isInline && 'inline'] },
    h('label', { for: id, class: isHidden && 'sr' }, label), input,
    hint && h('p', { class: 'field-hint', id: hintID }, hint), wrong);
  return {
    element, input,
    get value() { return input.value; },
    /** @param {?string} text null takes it away */
    error(text) {
      wrong.textContent = text ?? '';
      wrong.hidden = !text;
      if (text) input.setAttribute('aria-invalid', 'true');
      else input.removeAttribute('aria-invalid');
      describe(!!text);
    },
  };
}

/** @param {{label: string, options: Array<[string, string]>, value?: string, on?: Object, hint?: *, isInline?: boolean, isHidden?: boolean}} options */
export function select({ options, value, on, ...rest }) {
  const input = h('select', { on }, options.map(([key, word]) => h('option', { value: key, selected: key === (value ?? '') }, word)));
  return field({ ...rest, input });
}

/** Toggles in a row, of which one is chosen. @param {{label: string, options: Array<[string, string]>, value: string, onChange: function(string): void}} options */
export function segments({ label, options, value, onChange }) {
  const box = h('div', { class: 'segments', role: 'group', 'aria-label': label });
  for (const [key, word] of options) {
    box.append(h('button', { type: 'button', 'aria-pressed': String(key === value), on: { click: (event) => {
      for (const button of box.children) button.setAttribute('aria-pressed', String(button === event.currentTarget));
      onChange(key);
    } } }, word));
  }
  return box;
}
