// A command to copy: what mends something, or how to do it from a terminal.
//
//   command('aos kill off')

import { h } from '../core/dom.js';
import { copyButton, visible } from '../core/text.js';

/** @param {string} text @param {{label?: string}} [options] */
export const command = (text, { label = 'Copy the command' } = {}) =>
  h('p', { class: 'command' }, h('code', { class: 'grow' }, visible(text)), copyButton(text, label));
