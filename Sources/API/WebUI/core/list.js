// A list of any length, of which only what can be seen is in the page. Rows have one height (--row, or `rowPx`), so that the
// scroll bar tells the truth. One stop for the tab key; arrows, Home, End, Page keys and j k move, Enter opens. For a screen
// reader it is a listbox whose options know their place in the whole.
//
//   const list = new WindowedList({ label: 'Events', render: (index) => [...children], onOpen: (index) => …, onRange: (from, to) => … });
//   root.append(list.element);
//   list.setCount(10_000);            // rows are asked for by index
//   list.insertBefore(200);           // older ones came first: what is read stays where it is
//   list.refresh();                   // draw again what is shown
//   list.select(index, { scroll: true });

import { fill, h, uid } from './dom.js';

const OVERSCAN = 12;
const BOTTOM_PX = 4;
const FRAME_MS = 8;           // rows that do not fit into it are drawn in the next frame: never a long task

export class WindowedList {
  #rows = new Map();
  #frame = 0;
  #options;
  #space;
  #rowPx = 0;
  #height = 0;
  #lastTop = 0;
  #prefix = uid('row');
  count = 0;
  selected = -1;
  sticks = true;

  /** @param {{label: string, render: function(number): *, onOpen?: function(number): void, onSelect?: function(number): void,
   *  onRange?: function(number, number): void, onTop?: function(): void, rowClass?: function(number): string}} options */
  constructor(options) {
    this.#options = options;
    this.#space = h('div', { class: 'vlist-space', role: 'presentation' });
    this.element = h('div', {
      class: 'vlist', role: 'listbox', tabindex: 0, 'aria-label': options.label,
      on: { scroll: () => this.#later(), keydown: (event) => this.#pressed(event), click: (event) => this.#clicked(event) },
    }, this.#space);
    this.observer = new ResizeObserver(() => { this.#rowPx = 0; this.#height = this.element.clientHeight; this.#keepEnd(); this.#later(); });
    this.observer.observe(this.element);
  }

  /** Pixels of a row, as the style says. */
  get rowPx() {
    if (!this.#rowPx) {
      const probe = h('div', { class: 'vlist-row', 'aria-hidden': 'true' });
      this.#space.append(probe);
      this.#rowPx = probe.getBoundingClientRect().height || 30;
      probe.remove();
    }
    return this.#rowPx;
  }

  get isAtEnd() { return this.element.scrollTop + (this.#height || this.element.clientHeight) >= this.count * this.rowPx - BOTTOM_PX; }

  /** How many there are. New ones at the end are followed if the reader was at the end. @param {number} count */
  setCount(count) {
    const wasAtEnd = this.sticks && (this.count === 0 || this.isAtEnd);
    this.count = count;
    this.#space.style.setProperty('height', `${count * this.rowPx}px`);
    if (this.selected >= count) this.selected = count - 1;
    if (wasAtEnd) this.#end();
    this.#draw(true);
  }

  /** Rows came before the first: what is shown stays in its place. @param {number} added */
  insertBefore(added) {
    const top = this.element.scrollTop;
    this.count += added;
    if (this.selected >= 0) this.selected += added;
    this.#space.style.setProperty('height', `${this.count * this.rowPx}px`);
    this.element.scrollTop = top + added * this.rowPx;
    this.#draw(true);
  }

  refresh() { this.#draw(true); }

  /** Draws what was not there yet when it was drawn (`rowClass` said 'is-loading'). */
  refill() {
    for (const [index, row] of this.#rows) {
      if (row.classList.contains('is-loading')) { row.remove(); this.#rows.delete(index); }
    }
    this.#draw(false);
  }

  toEnd() { this.#end(); this.#draw(false); }

  /** @param {number} index @param {{scroll?: boolean, centre?: boolean}} [options] */
  select(index, { scroll = true, centre = false } = {}) {
    if (this.count === 0) return;
    this.selected = Math.max(0, Math.min(this.count - 1, index));
    if (scroll) {
      const [top, height] = [this.selected * this.rowPx, this.element.clientHeight];
      if (centre) this.element.scrollTop = top - height / 2;
      else if (top < this.element.scrollTop) this.element.scrollTop = top;
      else if (top + this.rowPx > this.element.scrollTop + height) this.element.scrollTop = top + this.rowPx - height;
    }
    this.#draw(false);
    this.#mark();
    this.#options.onSelect?.(this.selected);
  }

  /** @param {number} by */
  move(by) { this.select(this.selected < 0 ? (by > 0 ? this.#firstShown() : this.count - 1) : this.selected + by); }

  stop() {
    this.observer.disconnect();
    cancelAnimationFrame(this.#frame);
  }

  #firstShown() { return Math.floor(this.element.scrollTop / this.rowPx); }

  #end() { this.element.scrollTop = this.element.scrollHeight; }

  #wasAtEnd = true;
  #keepEnd() { if (this.sticks && this.#wasAtEnd) this.#end(); }

  #later() {
    if (this.#frame) return;
    this.#frame = requestAnimationFrame(() => { this.#frame = 0; this.#draw(false); });
  }

  #draw(isFresh) {
    // Everything is measured before anything is changed: one layout a frame.
    const height = this.#height || this.element.clientHeight;
    if (height === 0) return;
    const [scrollTop, rowPx] = [this.element.scrollTop, this.rowPx];
    this.#wasAtEnd = scrollTop + height >= this.count * rowPx - BOTTOM_PX;
    const [top, bottom] = [Math.max(0, Math.floor(scrollTop / rowPx)), Math.min(this.count - 1, Math.ceil((scrollTop + height) / rowPx))];
    const [first, last] = [Math.max(0, top - OVERSCAN), Math.min(this.count - 1, bottom + OVERSCAN)];
    for (const [index, row] of this.#rows) {
      if (isFresh || index < first || index > last) { row.remove(); this.#rows.delete(index); }
    }
    // What is seen first; what is around it once the reader is not leaping.
    const end = performance.now() + FRAME_MS;
    const added = document.createDocumentFragment();
    const put = (from, to) => {
      for (let index = from; index <= to; index++) {
        if (this.#rows.has(index)) continue;
        if (performance.now() > end) { this.#later(); return; }
        added.append(this.#row(index));
      }
    };
    put(top, bottom);
    const isFast = Math.abs(scrollTop - this.#lastTop) > height / 2;
    this.#lastTop = scrollTop;
    if (isFast) this.#later();
    else { put(bottom + 1, last); put(first, top - 1); }
    this.#space.append(added);
    this.#mark();
    if (last >= first) this.#options.onRange?.(first, last);
    if (scrollTop < rowPx * OVERSCAN) this.#options.onTop?.();
  }

  #row(index) {
    const row = h('div', {
      class: ['vlist-row', this.#options.rowClass?.(index)], role: 'option', id: `${this.#prefix}-${index}`,
      'aria-posinset': index + 1, 'aria-setsize': this.count, 'aria-selected': String(index === this.selected), data: { index },
      style: { top: `${index * this.rowPx}px` },
    });
    fill(row, this.#options.render(index));
    this.#rows.set(index, row);
    return row;
  }

  #mark() {
    for (const [index, row] of this.#rows) {
      const text = String(index === this.selected);
      if (row.getAttribute('aria-selected') !== text) row.setAttribute('aria-selected', text);
    }
    const id = this.#rows.get(this.selected)?.id;
    if (id) this.element.setAttribute('aria-activedescendant', id);
    else this.element.removeAttribute('aria-activedescendant');
  }

  #pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(this.element.clientHeight / this.rowPx) - 1);
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page };
    if (event.key in moves) this.move(moves[event.key]);
    else if (event.key === 'Home') this.select(0);
    else if (event.key === 'End') { this.select(this.count - 1); this.#end(); }
    else if (event.key === 'Enter' && this.selected >= 0) this.#options.onOpen?.(this.selected);
    else return;
    event.preventDefault();
  }

  #clicked(event) {
    const row = event.target.closest('.vlist-row');
    if (!row) return;
    this.select(Number(row.dataset.index), { scroll: false });
    this.#options.onOpen?.(this.selected);
  }
}
