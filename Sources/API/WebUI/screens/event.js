// One event: what it says, why it happened and what came of it, the policy decision in words, its place in the hash chain.
// `[` and `]` go along its stream, `c` to what caused it.

import { fill, h } from '../core/dom.js';
import { href, navigate } from '../core/router.js';
import { icon } from '../core/icons.js';
import { line, plain } from '../core/text.js';
import { head } from '../parts/actions.js';
import { inspection, readEvent } from '../parts/inspection.js';
import { sentence } from '../parts/sentence.js';

export async function show(view) {
  const { whole, before, after } = await readEvent(view.params.event_id, { signal: view.signal });
  const names = new Map();
  const words = sentence(whole, names);
  const to = (event) => event && href(`/events/${event.event_id}`);
  const step = (event, name, word, key) => event
    ? h('a', { class: 'button', href: to(event), 'aria-label': `${word}: ${plain(sentence(event).text, 100)}`, title: plain(sentence(event).text, 200) }, name === 'left' && icon(name), word, h('kbd', null, key), name === 'right' && icon(name))
    : h('button', { type: 'button', class: 'button', disabled: true }, name === 'left' && icon(name), word, name === 'right' && icon(name));
  fill(view.root,
    head(view, {
      title: plain(words.text, 80), shown: h('span', { class: words.tone }, h('span', { class: 'tone' }, icon(words.icon)), ' ', line(words.text, { max: 300 })),
      sub: [h('code', null, line(whole.event_type))],
      actions: [step(before, 'left', 'Before', '['), step(after, 'right', 'After', ']')],
      api: `/v1/events/${whole.event_id}`, aos: `aos why ${whole.event_id}`,
    }),
    h('div', { class: 'inspection' }, inspection({ whole, before, after, signal: view.signal, names })));
  const go = (event) => () => { if (event) navigate(to(event)); };
  view.keys({
    '[': { says: 'The event before it in its stream', run: go(before) },
    ']': { says: 'The event after it in its stream', run: go(after) },
    c: { says: 'What caused it', run: () => { if (whole.causation_id) navigate(href(`/events/${whole.causation_id}`)); } },
    t: { says: 'All that belongs to it, as a tree', run: () => navigate(href('/inspector', { correlation_id: whole.correlation_id, event_id: whole.event_id })) },
  });
}
