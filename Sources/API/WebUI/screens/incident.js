// One incident: what went wrong, why, what was learned; and what still stands between it and its end.

import { h, redraw } from '../core/dom.js';
import { api, newKey, session } from '../core/api.js';
import { href, navigate } from '../core/router.js';
import { icon } from '../core/icons.js';
import { block, idTag, line, plain } from '../core/text.js';
import { ago } from '../core/time.js';
import { head } from '../parts/actions.js';
import { ask, openDialog } from '../parts/dialog.js';
import { field } from '../parts/form.js';
import { lacking, severity } from '../parts/incident.js';
import { json } from '../parts/json.js';
import { note, sentenceOf } from '../parts/states.js';
import { status } from '../parts/status.js';
import { facts } from '../parts/table.js';
import { toast } from '../parts/toast.js';

const TEXT_MAX = 16_000;
const TAGS_MAX = 20;

export async function show(view) {
  const id = view.params.incident_id;
  const path = `/v1/incidents/${encodeURIComponent(id)}`;
  let incident = null;
  let learning = [];

  const load = async () => {
    ({ incident, learning } = await api.get(path, { signal: view.signal }));
    draw();
  };
  const canAct = () => session.canWrite && incident?.status === 'open';

  const draw = () => {
    const isOpen = incident.status === 'open';
    const missing = lacking(incident);
    redraw(view.root, head(view, {
      title: plain(incident.title, 80), shown: line(incident.title, { max: 300 }),
      sub: [status(incident.status), severity(incident.severity), incident.category && h('a', { href: href('/incidents', { category: incident.category, status: 'all' }) }, line(incident.category, { max: 60 })), idTag(incident.incident_id, { name: 'incident id' }), h('span', null, 'opened ', ago(incident.created_at), ' by ', line(`${incident.created_by_type}:${incident.created_by_id}`, { max: 60 }))],
      api: path, aos: `aos incident view ${id}`,
    }), h('div', { class: 'incident' },
      h('div', { class: 'stack incident-main' },
        incident.summary && h('section', { class: 'card', 'aria-label': 'What happened' }, h('div', { class: 'card-head' }, h('h2', null, 'What happened')), h('div', { class: 'card-body' }, block(incident.summary, { links: true, label: 'What happened' }))),
        h('section', { class: 'card', 'aria-label': 'Root cause' }, h('div', { class: 'card-head' }, h('h2', null, 'Root cause'), incident.rca_updated_at && h('span', { class: 'count' }, 'written ', ago(incident.rca_updated_at)),
          canAct() && h('button', { type: 'button', class: 'button small', data: { key: 'rca' }, on: { click: writeCause } }, incident.rca_updated_at ? 'Write it anew' : 'Write it', h('kbd', null, 'r'))),
        h('div', { class: 'card-body' }, cause(incident))),
        h('section', { class: 'card', 'aria-label': 'What was learned' }, h('div', { class: 'card-head' }, h('h2', null, 'What was learned'), h('span', { class: 'count num' }, learning.length),
          canAct() && h('button', { type: 'button', class: 'button small', data: { key: 'learn' }, on: { click: learn } }, 'Add', h('kbd', null, 'l'))),
        learning.length === 0 ? h('p', { class: 'calm muted' }, 'Nothing yet. What would have helped, or will help next time?')
          : h('ol', { class: 'learnings' }, learning.map((one) => h('li', null, block(one.note, { links: true, label: 'What was learned' }), h('p', { class: 'cluster faint' }, one.tags.map((tag) => h('span', { class: 'label-tag' }, line(tag, { max: 40 }))), line(`${one.created_by_type}:${one.created_by_id}`, { max: 60 }), ago(one.created_at))))))),
      h('div', { class: 'stack incident-side' },
        isOpen ? h('section', { class: 'card', 'aria-label': 'To close it' }, h('div', { class: 'card-head' }, h('h2', null, 'To close it')), h('div', { class: 'card-body stack tight' },
          h('ul', { class: 'stack tight' }, check(!!incident.rca_updated_at, 'a root cause'), check(incident.learning_count > 0, 'a learning')),
          session.canWrite && h('button', { type: 'button', class: 'button primary', data: { key: 'close' }, 'aria-disabled': missing.length > 0 ? 'true' : null, 'aria-describedby': 'close-why', on: { click: close } }, icon('check'), 'Close the incident', h('kbd', null, 'c')),
          h('p', { class: 'muted', id: 'close-why' }, missing.length > 0 ? `It still lacks ${missing.join(' and ')}.` : 'It has what it needs.')))
          : note('ok', h('p', null, h('b', null, 'Closed '), ago(incident.closed_at)), incident.closed_reason && h('p', null, '“', line(incident.closed_reason, { max: 500 }), '”')),
        h('section', { class: 'card', 'aria-label': 'About it' }, h('div', { class: 'card-body' }, facts([
          ['Run', incident.run_id && idTag(incident.run_id, { href: href(`/runs/${incident.run_id}`), name: 'run id' })],
          ['Room', incident.room_id && idTag(incident.room_id, { href: href(`/rooms/${incident.room_id}`), name: 'room id' })],
          ['Thread', incident.thread_id && idTag(incident.thread_id, { href: href(`/threads/${incident.thread_id}`), name: 'thread id' })],
          ['About', incident.entity_type && [line(incident.entity_type), ' ', idTag(incident.entity_id)]],
          ['Belongs to', idTag(incident.correlation_id, { href: href('/inspector', { correlation_id: incident.correlation_id, event_id: incident.last_event_id }), name: 'correlation id' })],
        ]))),
        Object.keys(incident.details ?? {}).length > 0 && h('section', { class: 'stack tight' }, h('h3', null, 'Details'), json(incident.details, { label: 'Details', open: 2 })))));
  };

  const check = (isThere, what) => h('li', { class: ['check-line tone', isThere ? 'ok' : 'idle'] }, icon(isThere ? 'check' : 'circle'), h('span', null, what, h('span', { class: 'sr' }, isThere ? ': there' : ': missing')));

  const act = async (where, body, done) => {
    await api.post(`${path}/${where}`, body, { key: newKey() });
    toast(done, 'ok');
    await load();
  };
  const write = ({ title, label, hint, value = '', confirm, extra, send }) => {
    const text = field({ label, hint, input: h('textarea', { rows: 6, maxlength: TEXT_MAX, required: true, value, on: { keydown: (event) => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit(); } } }) });
    const submit = h('button', { type: 'submit', class: 'button primary' }, confirm);
    const form = h('form', { class: 'stack', on: { submit: async (event) => {
      event.preventDefault();
      text.error(text.value.trim() ? null : 'It needs words.');
      if (!text.value.trim()) return;
      submit.disabled = true;
      try { await send(text.value.trim()); closeDialog(); } catch (error) { submit.disabled = false; text.error(sentenceOf(error)); }
    } } }, text.element, extra?.element, h('div', { class: 'cluster end' }, submit));
    const closeDialog = openDialog({ title, content: form });
    text.input.focus();
  };
  function writeCause() {
    if (!canAct()) return;
    write({ title: 'Root cause', label: 'Why did it happen?', hint: 'The cause behind the cause: what let it through, not who.', value: incident.rca?.summary ?? '', confirm: 'Keep it',
      send: (summary) => act('rca', { summary, ...(incident.rca?.analysis ? { analysis: incident.rca.analysis } : {}) }, 'The root cause is written') });
  }
  function learn() {
    if (!canAct()) return;
    const tags = field({ label: 'Tags (optional)', hint: 'Separated by commas', input: h('input', { maxlength: 400, autocomplete: 'off' }) });
    write({ title: 'What was learned', label: 'What will be different?', confirm: 'Keep it', extra: tags,
      send: (text) => act('learning', { note: text, tags: tags.value.split(',').map((tag) => tag.trim()).filter(Boolean).slice(0, TAGS_MAX) }, 'Kept') });
  }
  async function close() {
    if (!canAct()) return;
    const missing = lacking(incident);
    if (missing.length > 0) { toast(`It still lacks ${missing.join(' and ')}.`, 'error'); return; }
    const answer = await ask({ title: 'Close the incident?', text: plain(incident.title, 300), confirm: 'Close it', reason: 'How it ended (optional)' });
    if (!answer) return;
    try { await act('close', answer.reason ? { reason: answer.reason } : {}, 'Closed'); } catch (error) { toast(sentenceOf(error), 'error'); }
  }

  await load();
  view.keys({
    r: { says: 'Write the root cause', run: writeCause }, l: { says: 'Add what was learned', run: learn }, c: { says: 'Close it', run: close },
    u: { says: 'Back to the list', run: () => navigate(href('/incidents')) },
  });
  view.live((event) => event.event_type.startsWith('incident.') && event.data?.incident_id === id, load);
}

function cause(incident) {
  if (!incident.rca_updated_at) return h('p', { class: 'muted' }, 'Not known yet. An incident closes only with a cause.');
  const { summary, ...rest } = incident.rca ?? {};
  return h('div', { class: 'stack tight' }, summary && block(summary, { links: true, label: 'Root cause' }), Object.keys(rest).length > 0 && json(rest.analysis && Object.keys(rest).length === 1 ? rest.analysis : rest, { label: 'Analysis', open: 2 }));
}
