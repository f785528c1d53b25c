// What stands where content would be: nothing there, still loading, or a refusal said kindly.
//
//   empty('No runs yet', 'Start one …', button)      loading('Reading the run')      failure(problem, retry)      note(…)

import { h } from '../core/dom.js';
import { copyButton, line } from '../core/text.js';
import { Problem } from '../core/api.js';
import { icon } from '../core/icons.js';

const KINDLY = {
  0: 'The api cannot be reached',
  401: 'You are signed out',
  403: 'This is not yours to do',
  404: 'There is nothing at this address',
  409: 'Something else came first',
  429: 'Too many tries',
  503: 'The api is busy or stopping',
  507: 'The disk is full',
};

/** @param {string} title @param {*} [text] @param {...*} actions */
export function empty(title, text, ...actions) {
  return h('div', { class: 'empty' }, h('p', { class: 'empty-title' }, title), text && h('p', { class: 'muted' }, text), actions.length > 0 && h('div', { class: 'cluster' }, actions));
}

/** @param {string} what */
export const loading = (what = 'Loading') => h('p', { class: 'loading muted', role: 'status' }, `${what} …`);

/** What went wrong, why, what to do, and the request id. @param {*} error @param {?function(): void} [retry] */
export function failure(error, retry) {
  const isProblem = error instanceof Problem;
  if (!isProblem) console.error(error);
  const title = isProblem ? KINDLY[error.status] ?? error.title : 'This page failed';
  const detail = isProblem ? error.message : `${error?.message ?? error}. Loading the page again may help; if not, this is a defect of ours.`;
  return h('section', { class: 'failure', role: 'alert' },
    h('h1', { class: 'failure-title', tabindex: -1 }, icon('alert'), title),
    h('p', null, line(detail, { max: 2000 })),
    isProblem && h('p', { class: 'muted small' }, h('code', null, error.code), error.requestId && [' · request ', h('code', null, error.requestId), ' ', copyButton(error.requestId, 'Copy the request id')]),
    retry && h('p', null, h('button', { class: 'button', type: 'button', on: { click: retry } }, 'Try again')));
}

/** One line for a toast or beside a form. @param {*} error */
export const sentenceOf = (error) => error instanceof Problem ? `${error.message} (${error.code})` : String(error?.message ?? error);

/** A boxed remark. @param {'info'|'wait'|'fail'|'ok'|'odd'} kind @param {...*} children */
export const note = (kind, ...children) => h('div', { class: ['note', kind] }, children);
