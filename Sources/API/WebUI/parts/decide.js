// Decides an approval, with a reason where one is owed, and says how it went.
//
//   if (await decide(approval, 'deny')) …      'approve' | 'deny' | 'hold'; true: it is done

import { api, newKey } from '../core/api.js';
import { plain } from '../core/text.js';
import { ask } from './dialog.js';
import { sentenceOf } from './states.js';
import { toast } from './toast.js';

const WORDS = {
  approve: { title: 'Approve exactly this?', confirm: 'Approve', reason: 'Reason (optional)', done: 'Approved' },
  deny: { title: 'Deny it?', confirm: 'Deny', isDanger: true, reason: 'Why? The reason reaches the run', done: 'Denied' },
  hold: { title: 'Put it on hold?', confirm: 'Hold', reason: 'Reason (optional)', done: 'On hold: it stays in the inbox' },
};

/** @param {Object} approval @param {'approve'|'deny'|'hold'} decision @param {{isSure?: boolean}} [options] isSure: do not ask again */
export async function decide(approval, decision, { isSure = false } = {}) {
  const words = WORDS[decision];
  const answer = isSure ? { reason: '' } : await ask({ ...words, text: plain(approval.title ?? approval.action, 300) });
  if (!answer) return false;
  try {
    await api.post(`/v1/approvals/${approval.approval_id}/decide`, { decision, ...(answer.reason ? { reason: answer.reason } : {}) }, { key: newKey() });
    toast(words.done, decision === 'approve' ? 'ok' : 'info');
    return true;
  } catch (error) {
    toast(sentenceOf(error), 'error');
    return false;
  }
}
