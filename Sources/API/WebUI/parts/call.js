// What a call does, in full: the exact command, request, file or change, and everything else as data.
//
//   callDetail('shell', { script })          callOutput(call)    stdout, stderr, body … of what came back

import { h } from '../core/dom.js';
import { block, linked, visible } from '../core/text.js';
import { bytes } from '../core/time.js';
import { diff, looksLikePatch, patch } from './diff.js';
import { json } from './json.js';
import { quoted } from './actions.js';
import { facts } from './table.js';
import { note } from './states.js';

const PATCH_MEMBERS = ['diff', 'patch'];
const OUTPUT_MEMBERS = [['stdout', 'Output'], ['stdout_tail', 'Output (its end)'], ['stderr', 'Errors'], ['stderr_tail', 'Errors (their end)'], ['text', 'Text'], ['body', 'Body']];
const LONG_TEXT = 80;

/** @param {string} tool @param {?Object} input */
export function callDetail(tool, input) {
  const of = { ...(input ?? {}) };
  const shown = [];
  const take = (...names) => names.forEach((name) => delete of[name]);
  if (tool === 'shell') {
    const command = of.script ?? (of.argv ?? []).map((word) => quoted(String(word))).join(' ');
    shown.push(block(command, { label: 'The exact command', class: 'command-block', lines: 200 }));
    if (of.network) shown.push(note('wait', 'With network: it can reach other machines.'));
    if (of.stdin) shown.push(h('h3', null, 'Standard input'), block(of.stdin, { label: 'Standard input' }));
    shown.push(facts([['Folder', of.cwd && visible(of.cwd)], ['Environment', of.env && json(of.env, { label: 'Environment' })]]));
    take('script', 'argv', 'network', 'stdin', 'cwd', 'env');
  } else if (tool === 'http') {
    shown.push(h('p', { class: 'request' }, h('b', { class: 'mono' }, visible(of.method ?? 'POST')), ' ', h('span', { class: 'mono' }, linked(of.url ?? ''))),
      of.headers && json(of.headers, { label: 'Headers' }),
      of.body_file && facts([['Body from', visible(of.body_file)]]),
      of.text != null && block(of.text, { label: 'Body', links: true }),
      of.json !== undefined && json(of.json, { label: 'Body', open: 3 }));
    take('method', 'url', 'headers', 'body_file', 'text', 'json');
  } else if (tool === 'file.write') {
    const text = of.text ?? (of.json !== undefined ? JSON.stringify(of.json, null, 2) : '');
    shown.push(facts([['File', h('code', null, visible(of.path ?? ''))], ['Mode', of.mode && visible(String(of.mode))]]), diff(of.before ?? null, text, { label: `What is written to the file` }));
    take('path', 'text', 'json', 'mode', 'before');
  } else if (tool === 'message') {
    shown.push(block(of.content_md, { label: 'The message', links: true }));
    take('content_md');
  }
  for (const name of PATCH_MEMBERS) {
    if (typeof of[name] === 'string' && looksLikePatch(of[name])) { shown.push(h('h3', null, 'Change'), patch(of[name])); take(name); }
  }
  if (typeof of.before === 'string' && typeof of.after === 'string') { shown.push(h('h3', null, 'Change'), diff(of.before, of.after)); take('before', 'after'); }
  for (const [name, value] of Object.entries(of)) {
    if (typeof value === 'string' && (value.includes('\n') || value.length > LONG_TEXT)) { shown.push(h('h3', null, visible(name)), block(value, { links: true, label: name })); take(name); }
  }
  const flat = Object.entries(of);
  if (flat.length > 0 && flat.every(([, value]) => typeof value !== 'object' || value === null)) shown.push(facts(flat.map(([name, value]) => [visible(name), linked(String(value))])));
  else if (flat.length > 0) shown.push(json(of, { label: 'Arguments', open: 2 }));
  if (shown.length === 0) shown.push(h('p', { class: 'muted' }, 'No arguments.'));
  return h('div', { class: 'stack tight' }, h('p', { class: 'muted tool-name' }, h('code', null, visible(tool))), shown);
}

/** What came back. @param {?Object} output @param {?Object} [error] */
export function callOutput(output, error) {
  const shown = [];
  const collect = (value, title) => {
    if (value == null) return;
    if (typeof value !== 'object') { shown.push(h('h4', null, title), block(String(value), { ansi: true, links: true, label: title })); return; }
    const rest = { ...value };
    for (const [name, word] of OUTPUT_MEMBERS) {
      if (typeof rest[name] === 'string') {
        if (rest[name].trim() !== '') shown.push(h('div', { class: 'output' }, h('h4', null, word, h('span', { class: 'faint' }, ` ${bytes(new Blob([rest[name]]).size)}`)), block(rest[name], { ansi: true, links: true, label: word })));
        delete rest[name];
      }
    }
    if (rest.truncated || rest.stdout_truncated) shown.push(note('wait', 'The output was longer than what is kept.'));
    if (rest.details && typeof rest.details === 'object') { const { details } = rest; delete rest.details; collect(details, title); }
    const flat = Object.entries(rest).filter(([, one]) => one != null);
    if (flat.length === 0) return;
    if (flat.every(([, one]) => typeof one !== 'object')) shown.push(facts(flat.map(([name, one]) => [visible(name), linked(String(one))]), 'small-facts'));
    else shown.push(json(rest, { label: title, open: 1 }));
  };
  collect(error, 'Error');
  collect(output, 'Output');
  return shown.length > 0 ? h('div', { class: 'stack tight' }, shown) : null;
}
