// What happens, as it happens: one stream of the workspace for all views of this tab. It resumes after the last number it has
// seen, so nothing is missed or doubled; a room's numbers have no gaps, and one that shows is read from the log. A browser has
// six connections for all its tabs: the stream ends with the page, and rests while the tab is hidden.
//
//   live.start();                            once
//   live.subscribe((events, { isResync }) => …)   returns what ends it; isResync: it was away, look again
//   live.onState(({ state, since }) => …)    'connecting' | 'live' | 'stale' | 'resting'
//   followRoom(id, { from: seq, onEvents, signal });      every event of a room, once and in order

import { api, headers, Problem, problemOf, session, withQuery } from './api.js';

const SILENCE_MS = 40_000;       // the api says something every 15 s
const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 15_000;
const HIDDEN_REST_MS = 5_000;
const HIDDEN_POLL_MS = 20_000;
const LINE_CHARS_MAX = 8_000_000;
const REPAIR_PAGES_MAX = 200;
const EARLY_MAX = 4_096;

/**
 * Reads one stream until it ends or is silent for too long. Throws Problem for a refusal.
 * @param {string} path @param {AbortSignal} signal
 * @param {{onData: function(string): void, onOpen: function(): void, onBytes?: function(): void, onID?: function(string): void}} on
 *  onID is told every id, also one that comes alone and says where the stream begins; onBytes: a sign of life
 */
async function readStream(path, signal, { onData, onOpen, onBytes = () => {}, onID = () => {} }) {
  const watchdog = new AbortController();
  let timer = setTimeout(() => watchdog.abort(), SILENCE_MS);
  const both = AbortSignal.any([signal, watchdog.signal]);
  try {
    let response;
    try {
      response = await fetch(path, { headers: { ...headers(), accept: 'text/event-stream' }, credentials: 'same-origin', cache: 'no-store', signal: both });
    } catch (error) {
      if (signal.aborted) return;
      throw new Problem({ status: 0, code: 'unreachable', title: 'No answer', detail: 'the api cannot be reached' });
    }
    if (!response.ok) throw await problemOf(response);
    onOpen();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    let data = [];
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(() => watchdog.abort(), SILENCE_MS);
      onBytes();
      const lines = (rest + value).split('\n');
      rest = lines.pop();
      if (rest.length > LINE_CHARS_MAX) throw new Error('a line of the stream is too long');
      for (const raw of lines) {
        const text = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
        if (text === '') {
          if (data.length > 0) onData(data.join('\n'));
          data = [];
        } else if (text.startsWith('data:')) data.push(text.slice(text[5] === ' ' ? 6 : 5));
        else if (text.startsWith('id:')) onID(text.slice(3).trim());
      }
    }
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  } finally {
    clearTimeout(timer);
    watchdog.abort();
  }
}

/** Again and again, with back-off; `attempt` calls what it is given once it works. */
async function keepTrying(attempt, { signal, onLost }) {
  let wait = RETRY_FIRST_MS;
  while (!signal.aborted) {
    let problem = null;
    try { await attempt(() => { wait = RETRY_FIRST_MS; }); } catch (error) { problem = error; }
    if (signal.aborted) return;
    if (problem instanceof Problem && [400, 401, 403, 404].includes(problem.status)) { onLost(problem, null); return; }
    const pause = wait * (0.75 + Math.random() / 2);
    onLost(problem, pause);
    await new Promise((done) => {
      const timer = setTimeout(finish, pause);
      function finish() { clearTimeout(timer); removeEventListener('online', finish); retryNow.delete(finish); signal.removeEventListener('abort', finish); done(); }
      addEventListener('online', finish);
      signal.addEventListener('abort', finish);
      retryNow.add(finish);
    });
    wait = Math.min(wait * 2, RETRY_MAX_MS);
  }
}

const retryNow = new Set();

class Live {
  #listeners = new Set();
  #stateListeners = new Set();
  #controller = null;
  #hiddenTimer = null;
  lastSeq = null;
  status = { state: 'connecting', since: Date.now() };

  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onState(listener) {
    this.#stateListeners.add(listener);
    listener(this.status);
    return () => this.#stateListeners.delete(listener);
  }

  /** Begins at the end of the log as it is now. */
  async start() {
    document.addEventListener('visibilitychange', () => this.#visibility());
    // A page that is kept for the back button would keep its connection too.
    addEventListener('pagehide', () => this.stop());
    addEventListener('pageshow', (event) => { if (event.persisted) this.#run(); });
    if (document.hidden) this.#rest();
    else this.#run();
  }

  /** Try at once. */
  retry() { for (const finish of [...retryNow]) finish(); }

  stop() {
    this.#controller?.abort();
    this.#controller = null;
  }

  #set(state, since = Date.now()) {
    if (state === this.status.state) return;
    this.status = { state, since };
    for (const listener of this.#stateListeners) listener(this.status);
  }

  #visibility() {
    clearTimeout(this.#hiddenTimer);
    if (document.hidden) {
      this.#hiddenTimer = setTimeout(() => this.#rest(), HIDDEN_REST_MS);
    } else if (!this.#controller) this.#run();
  }

  #rest() {
    this.stop();
    this.#set('resting');
    this.#pollHidden();
  }

  async #pollHidden() {
    while (document.hidden && !this.#controller) {
      await new Promise((done) => setTimeout(done, HIDDEN_POLL_MS));
      if (document.hidden && !this.#controller) await this.#readOn().catch(() => {});
    }
  }

  async #run() {
    this.stop();
    const controller = this.#controller = new AbortController();
    const { signal } = controller;
    // Also at first: what has happened between a page's reads and now is looked at again.
    let wasLost = true;
    let lastSign = Date.now();
    const opened = (reset) => {
      reset();
      this.#set('live');
      if (wasLost) this.#tell([], { isResync: true });
      wasLost = false;
      lastSign = Date.now();
    };
    await keepTrying(async (reset) => {
      await readStream(withQuery('/v1/streams/workspace', { from_seq: this.lastSeq, include_system: session.current?.is_operator ? 1 : null }), signal, { onData: (data) => {
        const event = JSON.parse(data);
        if (event.global_seq <= (this.lastSeq ?? 0)) return;
        this.lastSeq = event.global_seq;
        this.#queue(event);
      }, onOpen: () => opened(reset), onBytes: () => { lastSign = Date.now(); }, onID: (id) => { this.lastSeq ??= Number(id); } });
    }, { signal, onLost: (problem, pause) => {
      wasLost = true;
      // A stream that ends by itself and comes back at once is nothing to speak of.
      if (problem || pause == null) this.#set('stale', lastSign);
    } });
  }

  #pending = [];
  #queue(event) {
    this.#pending.push(event);
    if (this.#pending.length === 1) {
      // Together, once a frame's worth has come; a hidden tab has no frames.
      setTimeout(() => {
        const events = this.#pending;
        this.#pending = [];
        this.#tell(events, {});
      }, 16);
    }
  }

  async #readOn() {
    let cursor = this.lastSeq ?? await headSeq();
    for (let page = 0; page < REPAIR_PAGES_MAX; page++) {
      const { events } = await api.get('/v1/events', { query: { cursor, limit: 200 } });
      if (events.length === 0) return;
      cursor = this.lastSeq = events[events.length - 1].global_seq;
      this.#tell(events, {});
      if (events.length < 200) return;
    }
  }

  #tell(events, how) {
    for (const listener of this.#listeners) {
      try { listener(events, how); } catch (error) { console.error(error); }
    }
  }
}

export const live = new Live();

/** The number of the newest event of the workspace; 0 without one. */
export async function headSeq(signal) {
  const { events } = await api.get('/v1/events', { query: { limit: 1, before_recorded_at: '9999-01-01T00:00:00.000Z' }, signal });
  return events[0]?.global_seq ?? 0;
}

/**
 * Follows a room, by the stream that the tab has anyway: every event once and in order, from the number after `from`. The
 * numbers of a room have no gaps; what is missing before an event, or was missed while the connection was lost, is read.
 * @param {string} roomID
 * @param {{from: number, onEvents: function(Array<Object>): void, signal: AbortSignal}} options
 */
export function followRoom(roomID, { from, onEvents, signal }) {
  let last = from;
  const early = new Map();
  let isReading = false;
  let isAskedAgain = false;

  const take = (events) => {
    const taken = [];
    for (const event of events) {
      if (event.stream_seq === last + 1) { taken.push(event); last++; } else if (event.stream_seq > last && early.size < EARLY_MAX) early.set(event.stream_seq, event);
      for (let next = early.get(last + 1); next; next = early.get(last + 1)) { taken.push(next); early.delete(++last); }
    }
    for (const seq of [...early.keys()]) if (seq <= last) early.delete(seq);
    if (taken.length > 0) onEvents(taken);
  };

  /** What the log has after the last one that was seen. */
  const repair = async () => {
    if (isReading) { isAskedAgain = true; return; }
    isReading = true;
    try {
      for (let page = 0; page < REPAIR_PAGES_MAX; page++) {
        const { events } = await api.get('/v1/events', { query: { stream_type: 'room', stream_id: roomID, from_seq: last, limit: 200 }, signal });
        take(events);
        if (events.length < 200) break;
      }
    } catch (error) {
      // The next event, or the connection's return, asks again.
      if (!signal.aborted) console.warn('a gap could not be read', error);
    } finally { isReading = false; }
    if (isAskedAgain && !signal.aborted) { isAskedAgain = false; repair(); }
  };

  const stop = live.subscribe((events, { isResync = false } = {}) => {
    take(events.filter((event) => event.stream_type === 'room' && event.stream_id === roomID));
    if (isResync || early.size > 0) repair();
  });
  signal.addEventListener('abort', stop);
  repair();
}
