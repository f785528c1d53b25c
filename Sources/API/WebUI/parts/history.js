// The events of a room by index, for a windowed list: all of them (random access by stream_seq, which has no gaps) or those a
// filter lets through (from the newest backwards). Both grow at the end as things happen.
//
//   const source = wholeHistory({ room, signal, onChange });   await source.start();
//   source.count   source.at(index)   source.need(from, to)   source.add(events)   source.indexAt(time)   source.indexOf(seq)
//   filteredHistory({ room, query, matches, … })  has `older()` too: tells onChange how many came first

import { api } from '../core/api.js';

const PAGE = 200;
const LOADING_MAX = 3;
const OLDER_PAGES_MAX = 50;
const END_OF_TIME = '9999-01-01T00:00:00.000Z';

const read = (room, query, signal) => api.get('/v1/events', { query: { stream_type: 'room', stream_id: room, ...query }, signal });

/** @param {{room: string, signal: AbortSignal, onChange: function({before?: number, isFilled?: boolean}): void}} options */
export function wholeHistory({ room, signal, onChange }) {
  const events = new Map();
  const asked = new Set();
  const waiting = [];
  let loading = 0;
  let count = 0;

  const next = () => {
    while (loading < LOADING_MAX && waiting.length > 0) {
      // What was asked for last is what is looked at now.
      const page = waiting.pop();
      loading++;
      read(room, { from_seq: page * PAGE, limit: PAGE }, signal).then((answer) => {
        for (const event of answer.events) events.set(event.stream_seq, event);
        onChange({ isFilled: true });
      }).catch(() => asked.delete(page)).finally(() => { loading--; next(); });
    }
  };

  return {
    get count() { return count; },
    at: (index) => events.get(index + 1),
    async start() {
      const answer = await read(room, { before_recorded_at: END_OF_TIME, limit: PAGE }, signal);
      for (const event of answer.events) events.set(event.stream_seq, event);
      count = answer.events[answer.events.length - 1]?.stream_seq ?? 0;
    },
    get lastSeq() { return count; },
    need(from, to) {
      for (let page = Math.floor(from / PAGE); page <= Math.floor(to / PAGE); page++) {
        if (asked.has(page)) continue;
        let isWhole = true;
        for (let seq = Math.max(page * PAGE, from) + 1; seq <= Math.min((page + 1) * PAGE, to + 1, count) && isWhole; seq++) isWhole = events.has(seq);
        if (isWhole) continue;
        asked.add(page);
        waiting.push(page);
      }
      next();
    },
    add(added) {
      for (const event of added) { events.set(event.stream_seq, event); count = Math.max(count, event.stream_seq); }
      onChange({});
    },
    older: async () => {},
    indexOf: (seq) => seq - 1,
    async indexAt(time) {
      const answer = await read(room, { before_recorded_at: time, limit: 1 }, signal);
      return Math.max(0, (answer.events[0]?.stream_seq ?? 1) - 1);
    },
  };
}

/** @param {{room: string, query: Object, matches: function(Object): boolean, signal: AbortSignal, onChange: function({before?: number}): void}} options */
export function filteredHistory({ room, query, matches, signal, onChange }) {
  const events = [];
  let cursor = null;
  let isWhole = false;
  let isLoading = false;
  let lastSeq = 0;

  const older = async () => {
    if (isWhole || isLoading) return;
    isLoading = true;
    try {
      const answer = await read(room, { ...query, before_recorded_at: END_OF_TIME, limit: PAGE, ...(cursor == null ? {} : { cursor }) }, signal);
      cursor = answer.next_cursor;
      isWhole = cursor == null || answer.events.length === 0;
      const first = events[0]?.stream_seq ?? Infinity;
      const added = answer.events.filter((event) => event.stream_seq < first);
      events.unshift(...added);
      onChange({ before: added.length });
    } finally { isLoading = false; }
  };

  return {
    get count() { return events.length; },
    at: (index) => events[index],
    async start() {
      const end = await read(room, { before_recorded_at: END_OF_TIME, limit: 1 }, signal);
      lastSeq = end.events[0]?.stream_seq ?? 0;
      await older();
    },
    get lastSeq() { return lastSeq; },
    need() {},
    add(added) {
      for (const event of added) {
        if (event.stream_seq > lastSeq) lastSeq = event.stream_seq;
        if (matches(event) && event.stream_seq > (events[events.length - 1]?.stream_seq ?? 0)) events.push(event);
      }
      onChange({});
    },
    older,
    indexOf: (seq) => events.findIndex((event) => event.stream_seq >= seq),
    async indexAt(time) {
      const at = Date.parse(time);
      for (let page = 0; page < OLDER_PAGES_MAX && !isWhole && Date.parse(events[0]?.recorded_at ?? '') > at; page++) await older();
      let index = events.length - 1;
      while (index > 0 && Date.parse(events[index].recorded_at) > at) index--;
      return Math.max(0, index);
    },
  };
}
