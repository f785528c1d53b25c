// The kill switch: its state on every page, one press and one confirmation to stop what writes outside. `K` opens it.
//
//   const ks = killSwitch();   top.append(ks.button);   ks.start();   ks.strip is the banner while it is engaged

import { fill, h } from '../core/dom.js';
import { api, session } from '../core/api.js';
import { live } from '../core/live.js';
import { line, plain } from '../core/text.js';
import { icon } from '../core/icons.js';
import { ago } from '../core/time.js';
import { ask } from './dialog.js';
import { sentenceOf } from './states.js';
import { say, toast } from './toast.js';

const POLL_MS = 10_000;

export function killSwitch() {
  let state = null;
  const button = h('button', { class: 'button killswitch', type: 'button', disabled: true, on: { click: () => press() } }, icon('power'), h('span', { class: 'wide' }, 'Kill switch'));
  const strip = h('p', { class: 'halt', hidden: true });

  const draw = () => {
    if (!state) return;
    const isOn = state.engaged;
    button.disabled = !session.current?.is_operator || !session.canWrite;
    button.classList.toggle('on', isOn);
    button.title = isOn ? 'External writes are stopped. Press to let them start again (K)' : 'Stop all external writes now (K)';
    button.setAttribute('aria-label', `Kill switch: ${isOn ? 'on, external writes are stopped' : 'off'}`);
    fill(button, icon('power'), h('span', { class: 'wide' }, isOn ? 'Stopped' : 'Kill switch'));
    strip.hidden = !isOn;
    if (!isOn) return;
    const of = state.kill_switch;
    fill(strip, icon('power'), h('span', null, 'External writes are stopped'), ' ',
      h('span', null, of.engaged_by_environment ? 'by the environment (POLICY_KILL_SWITCH_EXTERNAL_WRITE)' : ['by ', line(`${of.changed_by_type ?? ''}:${of.changed_by_id ?? ''}`), ' ', ago(of.changed_at)]), ' ',
      of.reason && h('span', null, '“', line(of.reason, { max: 160 }), '”'),
      state.unconfirmed.length > 0 && h('span', null, `${state.unconfirmed.length} not confirmed as stopped: `, line(state.unconfirmed.join(', '), { max: 120 })));
  };

  const read = async () => {
    try {
      const before = state?.engaged;
      state = await api.get('/v1/kill-switch');
      if (before != null && before !== state.engaged) say(state.engaged ? 'Kill switch on: external writes are stopped' : 'Kill switch off');
      draw();
    } catch { /* The connection's state says it. */ }
  };

  const press = async () => {
    if (!state || button.disabled) return;
    if (state.engaged && state.kill_switch.engaged_by_environment) {
      toast('The environment holds it on: change POLICY_KILL_SWITCH_EXTERNAL_WRITE and reload the api.', 'error');
      return;
    }
    const engaged = !state.engaged;
    const answer = await ask(engaged
      ? { title: 'Stop all external writes?', text: 'From the answer on no external write starts, in any workspace. Runs that need one wait and go on by themselves when it is lifted. Nothing is cancelled.', confirm: 'Stop external writes', isDanger: true, reason: 'Why (kept in the history)', cancel: 'Leave it off' }
      : { title: 'Let external writes start again?', text: `They were stopped${state.kill_switch.reason ? `: “${plain(state.kill_switch.reason, 200)}”` : ''}. Runs that wait for this go on at once.`, confirm: 'Lift the kill switch', reason: 'Why (kept in the history)', cancel: 'Leave it on' });
    if (!answer) return;
    try {
      state = await api.post('/v1/kill-switch', { engaged, ...(answer.reason ? { reason: answer.reason } : {}) });
      draw();
      toast(engaged ? (state.unconfirmed.length ? `Stopped; ${state.unconfirmed.length} could not be confirmed` : 'External writes are stopped') : 'External writes may start again', engaged ? 'info' : 'ok');
    } catch (error) { toast(sentenceOf(error), 'error'); }
  };

  return {
    button, strip, press,
    start() {
      read();
      live.subscribe((events, { isResync }) => { if (isResync || events.some((event) => event.event_type.startsWith('kill_switch.'))) read(); });
      setInterval(() => { if (!document.hidden) read(); }, POLL_MS);
    },
  };
}
