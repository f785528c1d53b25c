// What the pages about incidents share.
//
//   severity('high')       a badge          lacking(incident)     ['a root cause', 'a learning']

import { h } from '../core/dom.js';
import { icon } from '../core/icons.js';

export const SEVERITIES = ['critical', 'high', 'medium', 'low'];
const TONES = { critical: 'fail', high: 'fail', medium: 'wait', low: 'idle' };

/** @param {?string} level */
export const severity = (level) => level
  ? h('span', { class: ['status', TONES[level] ?? 'idle', level === 'critical' && 'critical'] }, icon(level === 'low' ? 'dash' : 'alert'), level)
  : h('span', { class: 'faint' }, 'not said');

/** What an incident needs before it can be closed. @param {Object} incident @returns {Array<string>} */
export const lacking = (incident) => [
  !incident.rca_updated_at && 'a root cause', incident.learning_count === 0 && 'a learning',
].filter(Boolean);
