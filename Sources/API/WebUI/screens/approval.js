// One approval: exactly what would happen, where, by which rule, who asks, what happens if nobody decides, how long is left.

import { h, redraw } from '../core/dom.js';
import { api, session } from '../core/api.js';
import { href, navigate } from '../core/router.js';
import { icon } from '../core/icons.js';
import { idTag, line, plain } from '../core/text.js';
import { ago, left } from '../core/time.js';
import { head } from '../parts/actions.js';
import { decide } from '../parts/decide.js';
import { json } from '../parts/json.js';
import { callDetail } from '../parts/call.js';
import { runName } from '../parts/runs.js';
import { note } from '../parts/states.js';
import { status } from '../parts/status.js';
import { facts } from '../parts/table.js';

const OPEN = ['pending', 'held'];
const RULES = {
  external_write: 'What leaves this machine and cannot be taken back needs a person’s yes, each time.',
  action_registry: 'The action registry says that this action is approved beforehand.',
  approval_tool: 'The plan itself asks for this decision.',
};

export async function show(view) {
  const id = view.params.approval_id;
  let approval = null;

  const load = async () => {
    approval = (await api.get(`/v1/approvals/${encodeURIComponent(id)}`, { signal: view.signal })).approval;
    const [run, others] = await Promise.all([
      approval.run_id ? api.get(`/v1/runs/${approval.run_id}`, { signal: view.signal }).then((answer) => answer.run).catch(() => null) : null,
      api.get('/v1/approvals', { query: { status: 'pending', limit: 100 }, signal: view.signal }).then((answer) => answer.approvals.filter((one) => one.approval_id !== id)).catch(() => []),
    ]);
    draw(run, others);
  };

  const act = (decision, isSure = false) => async () => {
    if (!approval || !OPEN.includes(approval.status) || !session.canWrite) return;
    if (!await decide(approval, decision, { isSure })) return;
    await load();
    view.root.querySelector('h1')?.focus();
  };

  const draw = (run, others) => {
    const isOpen = OPEN.includes(approval.status);
    const next = others[0];
    const step = approval.context?.plan_step_id;
    const rule = approval.action === 'approval.request' && approval.context?.rule_id ? 'approval_tool' : approval.context?.rule_id;
    redraw(view.root,
      head(view, { title: plain(approval.title ?? approval.action), shown: line(approval.title ?? approval.action),
        sub: [status(approval.status), h('code', null, line(approval.action)), idTag(approval.approval_id, { name: 'approval id' }), others.length > 0 && h('a', { href: href('/approvals') }, `${others.length} more waiting`)],
        api: `/v1/approvals/${id}`, aos: isOpen ? `aos approve ${id}` : `aos approval show ${id}` }),
      h('div', { class: 'approval' },
        h('section', { class: 'card approval-what', 'aria-label': 'What would happen' }, h('div', { class: 'card-head' }, h('h2', null, isOpen ? 'What would happen' : 'What was asked')),
          h('div', { class: 'card-body stack' }, what(approval), approval.context && Object.keys(approval.context).length > 0 && h('details', { data: { key: 'context' } }, h('summary', null, 'Context'), json(approval.context, { label: 'Context' })))),
        h('div', { class: 'approval-decision' },
          isOpen ? h('section', { class: 'card decision', 'aria-label': 'Decide' }, h('div', { class: 'card-body stack tight' },
            approval.expires_at ? h('p', { class: 'time-left num', data: { urgent: String(Date.parse(approval.expires_at) - Date.now() < 600_000) } }, icon('clock'), left(approval.expires_at)) : h('p', { class: 'muted' }, 'No time limit'),
            !session.canWrite && h('p', { class: 'muted' }, 'You look on: this session is read only.'),
            session.canWrite && [h('button', { type: 'button', class: 'button primary', data: { key: 'a' }, on: { click: act('approve', true) } }, icon('check'), 'Approve exactly this', h('kbd', null, 'a')),
            h('div', { class: 'halves' }, h('button', { type: 'button', class: 'button danger', data: { key: 'd' }, on: { click: act('deny') } }, 'Deny …', h('kbd', null, 'd')),
              h('button', { type: 'button', class: 'button', data: { key: 'h' }, on: { click: act('hold') } }, 'Hold …', h('kbd', null, 'h')))],
            h('p', { class: 'muted' }, ignored(approval))))
            : note(approval.status === 'approved' ? 'ok' : approval.status === 'denied' ? 'fail' : 'idle', h('b', null, ending(approval)), approval.decision_reason && h('p', null, '“', line(approval.decision_reason, { max: 500 }), '”'),
              next && h('p', null, h('a', { class: 'button small', href: href(`/approvals/${next.approval_id}`) }, 'Next one', h('kbd', null, 'n'))))),
        h('section', { class: 'card approval-about', 'aria-label': 'About it' }, h('div', { class: 'card-body' }, facts([
            ['Asked by', line(`${approval.requested_by_type}:${approval.requested_by_id}`)],
            ['Asked', ago(approval.requested_at)],
            ['Run', run && h('a', { href: href(`/runs/${run.run_id}`, { step }) }, line(runName(run), { max: 80 }))],
            ['Step', step && h('code', null, line(step))],
            ['Directory', run && approval.request?.tool && line(directory(run, approval))],
            ['Rule', rule && [h('code', null, line(rule)), RULES[rule] && h('p', { class: 'muted' }, RULES[rule])]],
            ['Covers', scope(approval)],
            ['Room', approval.room_id && h('a', { href: href(`/rooms/${approval.room_id}`) }, idTag(approval.room_id))],
            ['Decided by', approval.decided_by_id && line(`${approval.decided_by_type}:${approval.decided_by_id}`)],
            ['Decided', approval.decided_at && ago(approval.decided_at)],
            ['Used up', approval.consumed_at && ago(approval.consumed_at)],
          ])))));
    view.keys({
      a: { says: 'Approve exactly this', run: act('approve', true) }, d: { says: 'Deny, with a reason', run: act('deny') }, h: { says: 'Hold', run: act('hold') },
      n: { says: 'The next one that waits', run: () => { if (next) navigate(href(`/approvals/${next.approval_id}`)); } },
      u: { says: 'Back to the inbox', run: () => navigate(href('/approvals')) },
    });
  };

  await load();
  view.live((event) => event.event_type.startsWith('approval.'), load);
}

function what(approval) {
  const request = approval.request ?? {};
  if (request.tool) return callDetail(request.tool, request.arguments);
  return callDetail(approval.action, request);
}

const directory = (run, approval) => {
  const workdir = run.input?.plan?.workdir;
  const base = workdir?.path ?? 'a fresh folder of the run';
  const cwd = approval.request.arguments?.cwd;
  return `${base}${cwd ? `/${cwd}` : ''}${workdir?.isolation === 'worktree' ? ' (its own worktree)' : ''}`;
};

const ignored = (approval) => [
  approval.run_id ? 'If ignored: the run waits' : 'If ignored: nothing happens',
  approval.expires_at ? (approval.run_id ? ', and when the time is over the step fails; nothing is done.' : '; the question ends when the time is over.') : '.',
  approval.status === 'held' && ' It is on hold.',
];

const ending = (approval) => ({
  approved: approval.consumed_at ? 'Approved, and used up by the call it was for' : 'Approved', denied: 'Denied: it was not done', expired: 'Expired: nobody decided in time, nothing was done',
})[approval.status] ?? approval.status;

const scope = (approval) => {
  const of = approval.scope;
  if (!of) return null;
  const words = { once: 'these exact arguments, once', run: 'such actions of this run', room: 'such actions in this room', workspace: 'such actions in the workspace', template: 'a template' };
  return [words[of.type] ?? of.type, of.args_hash && h('p', { class: 'mono faint hash', title: of.args_hash }, `${of.args_hash.slice(0, 19)}…`)];
};
