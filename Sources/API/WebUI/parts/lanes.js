// Causation as a tree whose main line runs straight: of what an event caused, that with the most after it goes on below in
// the same lane, the rest branches off to the right before. So the lanes are at most log₂ of the events, however long a chain is.
//
//   traceRows(events)      [{ event, lane, isRoot, isBranch, hasNext, cause }] in the order to draw
//   lanes(row, height)     the lines of a row

import { svg } from '../core/dom.js';

const LANE_PX = 13;
const LANES_MAX = 12;

/** @param {Array<Object>} events oldest first @returns {Array<{event: Object, lane: number, isRoot: boolean, isBranch: boolean, hasNext: boolean, cause: ?Object}>} */
export function traceRows(events) {
  const byID = new Map(events.map((event) => [event.event_id, event]));
  const caused = new Map();
  const roots = [];
  for (const event of events) {
    const cause = byID.get(event.causation_id);
    // A cause comes before what it causes; anything else would go in circles.
    if (!cause || cause.global_seq >= event.global_seq) roots.push(event);
    else if (caused.has(cause.event_id)) caused.get(cause.event_id).push(event);
    else caused.set(cause.event_id, [event]);
  }
  const weight = new Map();
  for (let at = events.length - 1; at >= 0; at--) {
    const { event_id: id } = events[at];
    weight.set(id, 1 + (caused.get(id) ?? []).reduce((sum, one) => sum + weight.get(one.event_id), 0));
  }
  const rows = [];
  const stack = roots.reverse().map((event) => ({ event, lane: 0, isRoot: true, isBranch: false, cause: null }));
  while (stack.length > 0) {
    const row = stack.pop();
    const next = caused.get(row.event.event_id) ?? [];
    const main = next.reduce((best, one) => best && weight.get(best.event_id) >= weight.get(one.event_id) ? best : one, null);
    rows.push({ ...row, hasNext: next.length > 0 });
    if (main) stack.push({ event: main, lane: row.lane, isRoot: false, isBranch: false, cause: row.event });
    for (const one of next.filter((other) => other !== main).reverse()) stack.push({ event: one, lane: row.lane + 1, isRoot: false, isBranch: true, cause: row.event });
  }
  return rows;
}

/** @param {Object} row of traceRows @param {number} height pixels @param {number} lanesOfAll how many lanes the whole has */
export function lanes(row, height, lanesOfAll) {
  const x = (lane) => 7 + Math.min(lane, LANES_MAX) * LANE_PX;
  const middle = height / 2;
  const lines = [];
  for (let lane = 0; lane < row.lane; lane++) lines.push(`M${x(lane)} 0V${height}`);
  if (row.isBranch) lines.push(`M${x(row.lane - 1)} 0C${x(row.lane - 1)} ${middle} ${x(row.lane - 1) + 3} ${middle} ${x(row.lane)} ${middle}`);
  else if (!row.isRoot) lines.push(`M${x(row.lane)} 0V${middle}`);
  if (row.hasNext) lines.push(`M${x(row.lane)} ${middle}V${height}`);
  const width = 14 + Math.min(lanesOfAll, LANES_MAX) * LANE_PX;
  return svg('svg', { class: 'lanes', width, height, viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true', focusable: 'false' },
    svg('path', { class: 'lane-line', d: lines.join('') || 'M0 0' }),
    svg('circle', { class: 'lane-dot', cx: x(row.lane), cy: middle, r: 3.5 }));
}
