// The inbox: what waits for a decision, the most urgent first; what was decided one press away. Decisions are made on the
// card, where the whole of it can be seen; `a` `d` `h` act on the one that is marked.

import { fill, h, redraw } from '../core/dom.js';
import { api, session, withQuery } from '../core/api.js';
import { href, navigate } from '../core/router.js';
import { idTag, line } from '../core/text.js';
import { ago, left } from '../core/time.js';
import { head } from '../parts/actions.js';
import { decide } from '../parts/decide.js';
import { segments } from '../parts/form.js';
import { callText } from '../parts/sentence.js';
import { empty } from '../parts/states.js';
import { status } from '../parts/status.js';
import { table } from '../parts/table.js';

const PAGE = 100;
const VIEWS = [['', 'Waiting'], ['approved', 'Approved'], ['denied', 'Denied'], ['expired', 'Expired'], ['all', 'All']];

export async function show(view) {
  const list = h('div', { class: 'card' });
  const top = h('div');
  let shown = [];

  const load = async () => {
    const which = view.query.text('status');
    const read = (state) => api.get('/v1/approvals', { query: { limit: PAGE, status: state, ...view.query.pick('room_id') }, signal: view.signal }).then((answer) => answer.approvals);
    shown = which === '' ? [...await read('pending'), ...await read('held')].sort(byUrgency) : await read(which === 'all' ? '' : which);
    redraw(list, shown.length === 0
      ? empty(which === '' ? 'Nothing waits for you' : 'None', which === '' ? 'What policy does not let through by itself appears here, with everything to see before you decide.' : null)
      : table({ label: 'Approvals', rows: shown, key: (approval) => approval.approval_id, columns: [
        { head: 'State', class: 'tight from-tablet', cell: (approval) => status(approval.status) },
        { head: 'What', class: 'main', cell: (approval) => [h('a', { href: href(`/approvals/${approval.approval_id}`) }, line(approval.title ?? approval.action, { max: 140 })), h('span', { class: 'muted mono' }, '  ', line(callOf(approval), { max: 160 }))] },
        { head: 'Action', class: 'tight', from: 'desk', cell: (approval) => h('code', null, line(approval.action)) },
        { head: 'Asked by', class: 'tight', from: 'desk', cell: (approval) => line(approval.requested_by_id, { max: 30 }) },
        { head: 'Id', class: 'tight', from: 'desk', cell: (approval) => idTag(approval.approval_id) },
        { head: which === '' ? 'Time left' : 'Decided', end: true, cell: (approval) => which === '' ? (approval.expires_at ? left(approval.expires_at) : 'no limit') : ago(approval.decided_at ?? approval.updated_at) },
      ] }));
  };
  const draw = () => fill(top, head(view, { title: 'Approvals', api: withQuery('/v1/approvals', { status: view.query.text('status') || 'pending' }), aos: view.query.text('status') ? 'aos approvals --all' : 'aos approvals' }),
    h('div', { class: 'filters' }, segments({ label: 'Which', options: VIEWS, value: view.query.text('status'), onChange: (status) => { view.setQuery({ status }); load(); } }),
      h('p', { class: 'muted hint' }, h('kbd', null, 'j'), ' ', h('kbd', null, 'k'), ' move, ', h('kbd', null, 'Enter'), ' opens, ', h('kbd', null, 'a'), ' approve, ', h('kbd', null, 'd'), ' deny, ', h('kbd', null, 'h'), ' hold')));

  /** The row that has the focus; else the only one. */
  const marked = () => {
    const key = document.activeElement?.closest('[data-row]')?.dataset.key;
    return shown.find((approval) => approval.approval_id === key) ?? (shown.length === 1 ? shown[0] : null);
  };
  const act = (decision) => async () => {
    const approval = marked();
    if (!approval) return;
    // Approving is done in sight of what it covers.
    if (decision === 'approve') navigate(href(`/approvals/${approval.approval_id}`));
    else if (session.canWrite && await decide(approval, decision)) await load();
  };
  view.keys({ a: { says: 'Open the marked one to approve it', run: act('approve') }, d: { says: 'Deny the marked one', run: act('deny') }, h: { says: 'Hold the marked one', run: act('hold') } });
  draw();
  fill(view.root, top, list);
  await load();
  view.onQuery(() => { draw(); load(); });
  view.live((event) => event.event_type.startsWith('approval.'), load);
}

const callOf = (approval) => approval.request?.tool ? callText(approval.request.tool, approval.request.arguments) : '';

const byUrgency = (a, b) => (Date.parse(a.expires_at ?? '9999-01-01') - Date.parse(b.expires_at ?? '9999-01-01')) || a.requested_at.localeCompare(b.requested_at);
