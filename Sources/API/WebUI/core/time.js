// Times as people read them: relative, with the exact one a hover or a screen reader away; and how long things took.
//
//   ago(run.created_at)              <time>3 min ago</time>, kept up to date
//   left(approval.expires_at)        <time>23 h 59 min left</time>, counting down
//   duration(1234)                   '1.2 s'
//   exact(text)                      '2026-11-30 14:52:24.778' in the time zone of the reader

import { h } from './dom.js';

const TICK_MS = 1000;
const MIN = 60_000;
const HOUR = 60 * MIN;
const DAY = 24 * HOUR;

/** @param {?string} text RFC 3339 @returns {HTMLElement} */
export const ago = (text) => timeElement(text, 'ago');
/** @param {?string} text RFC 3339 @returns {HTMLElement} */
export const left = (text) => timeElement(text, 'left');
/** The time of day, with the date in its title. @param {?string} text */
export const clock = (text) => timeElement(text, 'clock');
/** Counts from a moment on: how long something runs. @param {?string} text */
export const since = (text) => timeElement(text, 'since');

function timeElement(text, kind) {
  const at = Date.parse(text ?? '');
  if (Number.isNaN(at)) return h('span', { class: 'faint' }, '–');
  const element = h('time', { datetime: text, title: exact(text), class: 'num', data: { time: kind } });
  element.textContent = says(kind, at, Date.now());
  return element;
}

function says(kind, at, now) {
  switch (kind) {
    case 'ago': return relative(at, now);
    case 'left': return at > now ? `${span(at - now)} left` : 'expired';
    case 'since': return duration(Math.max(0, now - at));
    default: return timeOfDay(at);
  }
}

/** 'just now', '3 min ago', 'in 2 h', or the date. @param {number} at @param {number} now */
export function relative(at, now = Date.now()) {
  const away = Math.abs(now - at);
  if (away < 5_000) return 'just now';
  if (away > 7 * DAY) return day(at, now);
  return at <= now ? `${coarse(away)} ago` : `in ${coarse(away)}`;
}

const coarse = (ms) =>
  ms < MIN ? `${Math.floor(ms / 1000)} s` : ms < HOUR ? `${Math.floor(ms / MIN)} min`
    : ms < DAY ? `${Math.floor(ms / HOUR)} h` : `${Math.floor(ms / DAY)} d`;

/** Two units: '23 h 59 min', '4 min 10 s'. @param {number} ms */
export function span(ms) {
  const s = Math.floor(ms / 1000);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`;
}

/** How long something took. @param {?number} ms */
export function duration(ms) {
  if (ms == null || Number.isNaN(ms)) return '–';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  return span(ms);
}

/** Between two RFC 3339 texts; null if one is missing. @returns {?number} milliseconds */
export function between(from, to) {
  const [a, b] = [Date.parse(from ?? ''), Date.parse(to ?? '')];
  return Number.isNaN(a) || Number.isNaN(b) ? null : b - a;
}

const two = (number) => String(number).padStart(2, '0');

/** '14:52:24' in the reader's time zone. @param {number|string} at */
export function timeOfDay(at, withMilliseconds = false) {
  const date = new Date(at);
  const text = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return withMilliseconds ? `${text}.${String(date.getMilliseconds()).padStart(3, '0')}` : text;
}

/** 'today', 'yesterday' or '2026-11-30'. @param {number|string} at @param {number} [now] */
export function day(at, now = Date.now()) {
  const name = (time) => {
    const date = new Date(time);
    return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  };
  const of = name(at);
  return of === name(now) ? 'today' : of === name(now - DAY) ? 'yesterday' : of;
}

/** @param {?string} text RFC 3339 */
export function exact(text) {
  const at = Date.parse(text ?? '');
  if (Number.isNaN(at)) return '–';
  const date = new Date(at);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${timeOfDay(at, true)}`;
}

/** Bytes as people say them. @param {?number} count */
export function bytes(count) {
  if (count == null) return '–';
  if (count < 1000) return `${count} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  let value = count / 1000;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) { value /= 1000; unit++; }
  return `${value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
}

/** Keeps what is on the screen true; one timer for all. */
export function startClock() {
  setInterval(() => {
    if (document.hidden) return;
    const now = Date.now();
    for (const element of document.querySelectorAll('time[data-time]')) {
      if (element.dataset.time === 'clock') continue;
      const text = says(element.dataset.time, Date.parse(element.dateTime), now);
      if (element.textContent !== text) element.textContent = text;
    }
  }, TICK_MS);
}
