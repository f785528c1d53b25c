// A table of records. j k move among rows, Enter follows the row's link; columns give way on narrow screens.
//
//   table({ label: 'Runs', rows, key: (run) => run.run_id, columns: [
//     { head: 'Run', cell: (run) => h('a', { href: … }, …), class: 'main' },
//     { head: 'Started', cell: (run) => ago(run.started_at), from: 'tablet', end: true } ] })
//
// `from`: 'tablet' or 'desk': shown from that width on. `end`: right aligned. `sr`: the head only for a screen reader.
// `rowClass(row)`. Use redraw() around it and the focus stays on its row.

import { h } from '../core/dom.js';

/** @param {{label: string, rows: Array, key: function(Object): string, columns: Array<Object>, rowClass?: function(Object): string}} options */
export function table({ label, rows, key, columns, rowClass }) {
  const names = (column) => [column.class, column.from && `from-${column.from}`, column.end && 'end'];
  return h('div', { class: 'table-box' }, h('table', { class: 'table', 'aria-label': label },
    h('thead', null, h('tr', null, columns.map((column) => h('th', { scope: 'col', class: names(column) }, column.sr ? h('span', { class: 'sr' }, column.head) : column.head)))),
    h('tbody', null, rows.map((row) => h('tr', { data: { row: '', key: key(row) }, class: rowClass?.(row) },
      columns.map((column) => h('td', { class: names(column) }, column.cell(row))))))));
}

/** Names and values, two columns. Empty values are left out. @param {Array<[string, *]>} pairs @param {string} [name] class */
export function facts(pairs, name) {
  return h('dl', { class: ['facts', name] }, pairs.filter(([, value]) => value != null && value !== false && value !== '')
    .map(([term, value]) => h('div', null, h('dt', null, term), h('dd', null, value))));
}
