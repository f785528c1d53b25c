// Line icons on a grid of 16, drawn by DOM. They are decoration: the word beside them, or the button's label, says it.
//
//   icon('check')          <svg class="icon" aria-hidden="true">

import { svg } from './dom.js';

const PATHS = {
  check: 'M3 8.5l3.2 3.2L13 5',
  cross: 'M4 4l8 8M12 4l-8 8',
  play: 'M5 3.5l7 4.5-7 4.5z',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  clock: 'M8 4.5V8l2.3 1.6M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0z',
  ask: 'M6 6.2a2 2 0 1 1 2.8 1.9c-.6.3-.8.6-.8 1.3M8 11.6v.1M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0z',
  circle: 'M13 8A5 5 0 1 1 3 8a5 5 0 0 1 10 0z',
  dash: 'M4 8h8',
  stop: 'M4.5 4.5h7v7h-7z',
  ban: 'M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0zM4 4l8 8',
  diamond: 'M8 2.5L13.5 8 8 13.5 2.5 8z',
  arrow: 'M3 8h10M9.5 4.5L13 8l-3.5 3.5',
  back: 'M13 8H3M6.500 4.500L3 8l3.500 3.500',
  dot: 'M8.7 8a.7.7 0 1 1-1.400 0 .7.7 0 0 1 1.400 0z',
  home: 'M2.500 7.500L8 3l5.500 4.500M4 6.500V13h8V6.500M6.800 13V9.500h2.400V13',
  runs: 'M3 4h2.500M3 8h2.500M3 12h2.500M8 4h5M8 8h5M8 12h5',
  stamp: 'M3 13.500h10M4 11h8V9.800L9.300 9V6.800a2.300 2.300 0 1 0-2.600 0V9L4 9.800z',
  rooms: 'M2.500 3.500h8v6h-4L4 11.500v-2H2.500zM12 6.500h1.500v5.500H12v2l-2.500-2H6.500',
  bell: 'M4.500 11.500V7a3.500 3.500 0 0 1 7 0v4.500M3 11.500h10M7 13.500h2',
  board: 'M2.500 3h3v10h-3zM6.500 3h3v7h-3zM10.500 3h3v4.500h-3z',
  lens: 'M7 11.500a4.500 4.500 0 1 0 0-9 4.500 4.500 0 0 0 0 9zM10.300 10.300L13.500 13.500M5.500 7h3M7 5.500v3',
  search: 'M7 11.500a4.500 4.500 0 1 0 0-9 4.500 4.500 0 0 0 0 9zM10.300 10.300L13.500 13.500',
  alert: 'M8 2.500l6 10.500H2zM8 6.500v3M8 11.200v.1',
  gauge: 'M2.500 11.500a5.500 5.500 0 1 1 11 0zM8 11.500l2.500-4',
  power: 'M8 2.500v5M4.600 4.500a5 5 0 1 0 6.800 0',
  sun: 'M10.500 8a2.500 2.500 0 1 1-5 0 2.500 2.500 0 0 1 5 0zM8 1.500V3M8 13v1.500M1.500 8H3M13 8h1.500M3.400 3.400l1 1M11.600 11.600l1 1M12.600 3.400l-1 1M4.400 11.600l-1 1',
  moon: 'M13 9.500A5.500 5.500 0 0 1 6.500 3a5.500 5.500 0 1 0 6.500 6.500z',
  auto: 'M13.500 8a5.500 5.500 0 1 1-11 0 5.500 5.500 0 0 1 11 0zM8 2.500v11M8 5.500l4 0M8 8h5.500M8 10.500h4.500',
  keys: 'M2 4.500h12v7H2zM4.500 7h.1M7 7h.1M9.500 7h.1M12 7h.1M5 9.300h6',
  copy: 'M5.500 5.500h7v8h-7zM3.500 10.500v-8h7',
  out: 'M9 3h4v4M13 3L7.500 8.500M11 9.500V13H3V5h3.500',
  down: 'M8 2.500v8M4.500 7.500L8 11l3.500-3.500M3 13.500h10',
  more: 'M3.500 8h.1M8 8h.1M12.500 8h.1',
  plus: 'M8 3v10M3 8h10',
  right: 'M6 3.500L10.500 8 6 12.500',
  left: 'M10 3.500L5.500 8l4.500 4.500',
  first: 'M12 3.500L7.500 8l4.500 4.500M4 3.500v9',
  last: 'M4 3.500L8.500 8 4 12.500M12 3.500v9',
  file: 'M4 2.500h5l3 3v8H4zM9 2.500v3h3',
  link: 'M6.500 9.500l3-3M7 4.500l1.500-1.500a2.500 2.500 0 0 1 4 3.500L11 8M9 11.500L7.500 13a2.500 2.500 0 0 1-4-3.500L5 8',
  leave: 'M6.500 3H3v10h3.500M6.500 8H13M10.500 5.500L13 8l-2.500 2.500',
};

const made = new Map();

/** @param {keyof PATHS} name @returns {SVGElement} */
export function icon(name) {
  if (!made.has(name)) made.set(name, svg('svg', { class: 'icon', viewBox: '0 0 16 16', 'aria-hidden': 'true', focusable: 'false' }, svg('path', { d: iconPath(name) })));
  return made.get(name).cloneNode(true);
}

/** For drawings that place icons themselves. @param {string} name */
export const iconPath = (name) => (Object.hasOwn(PATHS, name) ? PATHS[name] : PATHS.dot);
