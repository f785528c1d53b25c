// Questions that need an answer, and other things above the page. The browser's own modal: it keeps the focus inside and
// gives it back, and Escape closes.
//
//   const answer = await ask({ title: 'Cancel the run?', text: '…', confirm: 'Cancel run', isDanger: true, reason: 'Why' });
//   if (answer) … answer.reason
//   const close = openDialog({ title: 'Keys', content });

import { h, uid } from '../core/dom.js';

const REASON_MAX = 2_000;

/** @param {{title: string, content: *, class?: string, onClose?: function(): void}} options @returns {function(): void} closes it */
export function openDialog({ title, content, class: name, onClose }) {
  const id = uid('dialog');
  const dialog = h('dialog', { class: ['dialog', name], 'aria-labelledby': id, on: {
    close: () => { dialog.remove(); onClose?.(); },
    click: (event) => { if (event.target === dialog) dialog.close(); },
  } }, h('div', { class: 'dialog-box' },
    h('header', { class: 'spread' }, h('h2', { id }, title), h('button', { type: 'button', class: 'icon-button', 'aria-label': 'Close', on: { click: () => dialog.close() } }, '×')),
    content));
  document.body.append(dialog);
  dialog.showModal();
  return () => dialog.close();
}

/**
 * @param {{title: string, text?: *, confirm: string, isDanger?: boolean, reason?: string, isReasonNeeded?: boolean, cancel?: string}} options
 * @returns {Promise<?{reason: string}>} null: no
 */
export function ask({ title, text, confirm, isDanger = false, reason, isReasonNeeded = false, cancel = 'Not now' }) {
  return new Promise((resolve) => {
    let answer = null;
    const id = uid('reason');
    const input = reason && h('textarea', { id, rows: 2, maxlength: REASON_MAX, required: isReasonNeeded, on: { keydown: (event) => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    } } });
    const form = h('form', { class: 'stack tight', on: { submit: (event) => {
      event.preventDefault();
      answer = { reason: input?.value.trim() ?? '' };
      close();
    } } },
    text && h('div', { class: 'muted' }, text),
    reason && h('div', { class: 'field' }, h('label', { for: id }, reason), input),
    h('div', { class: 'cluster end' },
      h('button', { type: 'button', class: 'button', on: { click: () => close() } }, cancel),
      h('button', { type: 'submit', class: ['button primary', isDanger && 'danger'] }, confirm)));
    const close = openDialog({ title, content: form, onClose: () => resolve(answer) });
    (input ?? form.querySelector('button[type=submit]')).focus();
  });
}
