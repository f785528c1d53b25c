// Time, to be walked through: the events of a run on a line, with play and single steps. The chosen one is a global_seq.
//
//   const scrubber = makeScrubber({ onPick: (seqOrNull, event) => … });      null: as it is now
//   scrubber.setEvents(events);  scrubber.set(seq);  scrubber.keys   (for view.keys)   scrubber.stop()

import { fill, h } from '../core/dom.js';
import { icon } from '../core/icons.js';
import { line, plain } from '../core/text.js';
import { timeOfDay } from '../core/time.js';
import { sentence } from './sentence.js';

const PLAY_MS = 450;
const TICKS_MAX = 400;
const TOLD = /^(run\.|step\.failed|approval\.|policy\.|tool\.(failed|unknown)|artifact\.|step\.succeeded)/;

/** @param {{onPick: function(?number, ?Object): void}} options */
export function makeScrubber({ onPick }) {
  let events = [];
  let at = null;             // index; null: now
  let timer = null;
  const names = new Map();
  const ticks = h('div', { class: 'ticks', 'aria-hidden': 'true' });
  const range = h('input', { type: 'range', min: 0, max: 0, step: 1, 'aria-label': 'Point in the run’s history', on: { input: () => pick(Number(range.value)) } });
  const text = h('p', { class: 'scrub-text' });
  const button = (name, label, run) => h('button', { type: 'button', class: 'icon-button', title: label, 'aria-label': label, on: { click: run } }, icon(name));
  const playButton = button('play', 'Play (p)', () => play());
  const nowButton = h('button', { type: 'button', class: 'button small', on: { click: () => pick(null) } }, 'Now');
  const element = h('section', { class: 'card scrubber', 'aria-label': 'The run over time' },
    h('div', { class: 'scrub-buttons' }, button('first', 'To the beginning', () => pick(0)), button('left', 'One event back ([)', () => by(-1)), playButton, button('right', 'One event on (])', () => by(1)), nowButton),
    h('div', { class: 'scrub-line' }, ticks, range), text);

  const draw = () => {
    const last = events.length - 1;
    range.max = String(Math.max(0, last));
    range.value = String(at ?? Math.max(0, last));
    const event = events[at ?? last];
    const words = event && sentence(event, names);
    element.classList.toggle('past', at !== null);
    nowButton.disabled = at === null;
    if (!event) { fill(text, h('span', { class: 'muted' }, 'No events yet')); return; }
    fill(text, h('span', { class: 'num faint' }, `${(at ?? last) + 1}/${events.length}  ${timeOfDay(event.recorded_at, true)}  `), h('span', { class: ['tone', words.tone] }, icon(words.icon)), ' ', line(words.text, { max: 160 }));
    range.setAttribute('aria-valuetext', `event ${(at ?? last) + 1} of ${events.length}, ${timeOfDay(event.recorded_at)}: ${plain(words.text, 120)}`);
  };
  const drawTicks = () => {
    const last = Math.max(1, events.length - 1);
    fill(ticks, events.map((event, index) => ({ event, index })).filter(({ event }) => TOLD.test(event.event_type)).slice(0, TICKS_MAX)
      .map(({ event, index }) => h('i', { class: sentence(event, names).tone, style: { left: `${index / last * 100}%` } })));
  };
  const pick = (index) => {
    const last = events.length - 1;
    at = index === null || index > last ? null : Math.max(0, index);
    draw();
    onPick(at === null ? null : events[at].global_seq, at === null ? null : events[at]);
  };
  const by = (step) => {
    const last = events.length - 1;
    if (at === null && step > 0) return;
    const next = (at ?? last) + step;
    // The last event is how it is now, once the run has been walked to its end.
    pick(next >= last && step > 0 ? null : next);
  };
  const stopPlaying = () => {
    clearInterval(timer);
    timer = null;
    fill(playButton, icon('play'));
    playButton.setAttribute('aria-label', 'Play (p)');
  };
  const play = () => {
    if (timer) { stopPlaying(); return; }
    if (at === null) pick(0);
    fill(playButton, icon('pause'));
    playButton.setAttribute('aria-label', 'Pause (p)');
    timer = setInterval(() => { by(1); if (at === null) stopPlaying(); }, PLAY_MS);
  };

  return {
    element,
    /** @param {Array<Object>} list in order */
    setEvents(list) {
      const seq = at === null ? null : events[at]?.global_seq;
      events = list;
      for (const event of list) sentence(event, names);
      if (seq != null) at = Math.max(0, events.findIndex((event) => event.global_seq >= seq));
      draw();
      drawTicks();
    },
    /** Marks a point without telling. @param {?number} seq */
    set(seq) {
      if (seq == null) at = null;
      else {
        const after = events.findIndex((event) => event.global_seq > seq);
        at = after < 0 ? (events.length ? events.length - 1 : null) : Math.max(0, after - 1);
      }
      draw();
    },
    get isPast() { return at !== null; },
    keys: {
      '[': { says: 'One event back in time', run: () => { stopPlaying(); by(-1); } },
      ']': { says: 'One event on', run: () => { stopPlaying(); by(1); } },
      p: { says: 'Play or pause the run’s history', run: () => play() },
      '0': { says: 'Back to now', run: () => { stopPlaying(); pick(null); } },
    },
    stop: stopPlaying,
  };
}
