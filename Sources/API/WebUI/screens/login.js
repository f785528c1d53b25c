// Signs in by the one-time code behind the `#` of the link that `aos` prints; without one it says how to get a link.
// It stands without the shell: there is no session yet.

import { fill, h } from '../core/dom.js';
import { api, session } from '../core/api.js';
import { copyButton, line } from '../core/text.js';
import { loading } from '../parts/states.js';

/** @param {HTMLElement} root */
export async function show(root) {
  document.title = 'Sign in · AgentOS';
  const code = location.hash.slice(1);
  // The code is used once and belongs in no history.
  if (code) history.replaceState(null, '', location.pathname + location.search);
  const card = h('div', { class: 'login' });
  fill(root, card);
  if (!code) return invite(card, null);
  fill(card, h('h1', { tabindex: -1 }, 'AgentOS'), loading('Signing in'));
  try {
    session.current = (await api.post('/v1/ui/session', { code })).session;
    const to = new URLSearchParams(location.search).get('to') ?? '/';
    location.replace(/^\/(?![/\\])/.test(to) ? to : '/');
  } catch (error) {
    invite(card, error);
  }
  return undefined;
}

function invite(card, error) {
  fill(card, h('h1', { tabindex: -1 }, 'Sign in to AgentOS'),
    error && h('p', { class: 'note fail', role: 'alert' }, line(error.message, { max: 500 })),
    h('p', null, 'Links are made on the machine that AgentOS runs on, work once, and are valid for a short while:'),
    h('p', { class: 'command' }, h('code', null, 'aos ui'), copyButton('aos ui')));
}
