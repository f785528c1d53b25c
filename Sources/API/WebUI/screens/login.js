// Signs in by the one-time code behind the `#` of the link that `aos` prints; without one it says how to get a link.
// It stands without the shell: there is no session yet.

import { fill, h } from '../core/dom.js';
import { api, Problem, session } from '../core/api.js';
import { icon } from '../core/icons.js';
import { line } from '../core/text.js';
import { command } from '../parts/command.js';
import { loading } from '../parts/states.js';

/** @param {HTMLElement} root */
export async function show(root) {
  document.title = 'Sign in · AgentOS';
  const card = h('div', { class: 'login card' });
  fill(root, card);
  // A link pasted into the address of this very page loads nothing anew.
  addEventListener('hashchange', () => signIn(card));
  await signIn(card);
}

async function signIn(card) {
  const code = location.hash.slice(1);
  if (!code) { if (!card.firstChild) invite(card, null); return; }
  // The code is used once and belongs in no history.
  history.replaceState(null, '', location.pathname + location.search);
  fill(card, brand('AgentOS'), loading('Signing in'));
  try {
    session.current = (await api.post('/v1/ui/session', { code })).session;
    const to = new URLSearchParams(location.search).get('to') ?? '/';
    location.replace(/^\/(?![/\\])/.test(to) && !to.startsWith('/login') ? to : '/');
  } catch (error) {
    invite(card, error);
  }
}

const brand = (title) => h('h1', { tabindex: -1, class: 'login-title' }, h('img', { src: '/ui/icon.svg', alt: '', width: 32, height: 32 }), title);

function invite(card, error) {
  const query = new URLSearchParams(location.search);
  const isUsed = error instanceof Problem && error.code === 'invalid_login_link';
  fill(card, brand('Sign in to AgentOS'),
    error && h('div', { class: 'note fail', role: 'alert' }, h('p', null, icon('alert'), ' ', h('b', null, isUsed ? 'This link does not work any more.' : 'That did not work.')),
      h('p', null, isUsed ? 'A link signs in once, and only for ten minutes after it was made. Make a new one.' : line(error.message, { max: 500 }))),
    !error && query.has('out') && h('p', { class: 'note ok', role: 'status' }, 'You are signed out. Whatever runs goes on.'),
    !error && query.has('to') && h('p', { class: 'note info', role: 'status' }, 'Your session has ended. After signing in you are back where you were.'),
    h('p', null, 'Run this on the machine that AgentOS runs on; it prints a link to open here:'),
    command('aos ui'),
    h('p', { class: 'muted' }, 'The link is good once and for ten minutes. The session ends after a week without use, or when you sign out.'));
}
