// Help: the keys, what the colours mean, what a gate can and cannot stop, and how to get at the same things without these pages.

import { fill, h } from '../core/dom.js';
import { keys } from '../core/keys.js';
import { href } from '../core/router.js';
import { line } from '../core/text.js';
import { head } from '../parts/actions.js';
import { command } from '../parts/command.js';
import { status } from '../parts/status.js';

const STATES = [
  [['succeeded', 'approved', 'allow'], 'It is done, allowed, or in order.'],
  [['running'], 'It is going on right now.'],
  [['waiting', 'pending', 'require_approval'], 'It stands still until a person or a time does something.'],
  [['failed', 'denied'], 'It went wrong, or was refused.'],
  [['unknown', 'held'], 'Nobody knows yet: look at it.'],
  [['queued', 'skipped', 'cancelled', 'expired'], 'Not begun, passed over, or over without a result.'],
];
const HOLDS = [
  ['An external write needs a yes', 'What leaves this machine and cannot be taken back waits for a person. The yes covers exactly these arguments, once, and is used up in the moment of the call.'],
  ['Stop means stop', 'From the answer of the kill switch on, no external write starts. Calls that could not be confirmed as stopped are named, never called stopped.'],
  ['Nothing twice without being told', 'If an engine is lost in the middle of a call that must not happen twice, the run waits and asks you how it ended.'],
  ['History cannot be changed unnoticed', 'Every event holds the hash of the one before. Changed, removed or inserted events are found and named.'],
];
const LIMITS = [
  ['A decision is about a call, not about its meaning.', 'An agent that is allowed to write a file may write nonsense into it. Containment is promised; good judgement is not.'],
  ['A shell step inside its sandbox is one decision.', 'What it does there (without network, in its folder, within its limits) is not asked about line by line. With network it is an external write as a whole.'],
  ['A program you start outside of AgentOS is not governed by it.', 'Nor is another process of the same user, or root. Run the engine as a user of its own.'],
  ['The kill switch stops starts.', 'Bytes that are on the wire already arrive. What is running inside a sandbox goes on, without leaving it.'],
  ['Nobody can promise “exactly once” to the outside world.', 'A receiver that gets an idempotency key can; otherwise an unknown outcome is shown as unknown.'],
  ['Hashes prove that history was not changed in part.', 'Somebody who can rewrite both the database and every copy of its heads could rewrite all of it. Keep copies elsewhere.'],
];
const WAYS = [
  ['The data behind a page', '“.json” on every page: the page’s address with that ending leads to the read of the interface behind it, with the same query.'],
  ['As a command', 'Beside it, “curl” and “aos” copy the same question for a terminal.'],
  ['The interface', 'All of /v1 is described in one document.'],
];
const COMMANDS = [['aos status', 'what is going on, at a glance'], ['aos approvals', 'what waits for you'], ['aos kill on -m "why"', 'stop all external writes, now'], ['aos why ID', 'what led to it, and what came of it'], ['aos verify', 'check the whole history'], ['aos doctor', 'every red line with its cure']];

export function show(view) {
  const { screen, everywhere } = keys.all();
  const box = h('input', { type: 'checkbox', checked: keys.areOn, on: { change: () => { keys.areOn = box.checked; } } });
  const card = (title, ...content) => h('section', { class: 'card', 'aria-label': title }, h('div', { class: 'card-head' }, h('h2', null, title)), h('div', { class: 'card-body stack tight' }, content));
  const list = (pairs) => h('dl', { class: 'help-list' }, pairs.map(([term, text]) => h('div', null, h('dt', null, term), h('dd', { class: 'muted' }, text))));
  fill(view.root, head(view, { title: 'Help', api: '/openapi.json', aos: 'aos help' }),
    h('div', { class: 'help' },
      card('Keys', h('dl', { class: 'keys' }, [...everywhere, ...screen].filter(([, binding]) => binding.says).map(([key, binding]) => h('div', null,
        h('dt', null, key.split(' ').map((one, index) => [index > 0 && ' then ', h('kbd', null, one)])), h('dd', null, line(binding.says))))),
      h('p', { class: 'muted' }, 'Every page has more of its own: ', h('kbd', null, '?'), ' shows them. In lists ', h('kbd', null, 'Enter'), ' opens, ', h('kbd', null, 'Esc'), ' closes what is above the page.'),
      h('label', { class: 'cluster' }, box, 'Single keys act (switch off if they get in your way)')),
      card('Colours, never alone', h('ul', { class: 'stack tight' }, STATES.map(([states, text]) => h('li', { class: 'help-state' }, h('span', { class: 'cluster' }, states.map((state) => status(state))), h('span', { class: 'muted' }, text)))),
        h('p', { class: 'muted' }, 'A mark like ', h('span', { class: 'hidden-mark' }, 'RLO'), ' stands for a character that cannot be seen and may deceive. A host after an arrow (', h('span', { class: 'real-host' }, '→ example.org'), ') is where a link really leads. Text by agents and tools is never markup here, and nothing in it is fetched.')),
      card('What holds', list(HOLDS)),
      card('What a gate cannot stop', list(LIMITS)),
      card('The same without these pages', list(WAYS), h('p', null, h('a', { href: '/openapi.json', data: { plain: '' } }, '/openapi.json'), ' describes it for programs, ', h('code', null, 'docs/reference/ENDPOINTS.md'), ' for people.')),
      card('From a terminal', COMMANDS.map(([text, what]) => h('div', { class: 'help-command' }, command(text), h('span', { class: 'muted' }, what))), h('p', { class: 'muted' }, 'Is something red? ', h('a', { href: href('/system') }, 'System'), ' says what to do about it.'))));
}
