// A plan drawn as a graph: SVG by DOM, nodes that can be reached and chosen by keyboard. A list of the same steps belongs
// beside it as its text; the group's label says so.
//
//   const drawing = graph({ label: 'The plan', nodes: [{ id, title, sub, state, needs, note }], onPick: (id) => … });
//   root.append(drawing.element);
//   drawing.update(nodes)         new states; drawn anew only when ids or needs changed
//   drawing.pick('count')         which one is marked
//
// `state` as status.js knows it; `note`: a word at the node's end (a duration, a verdict). Arrow keys go from node to node.

import { fill, h, svg } from '../core/dom.js';
import { iconPath } from '../core/icons.js';
import { plain } from '../core/text.js';
import { layout } from './layers.js';
import { statusOf } from './status.js';

const NODE = { width: 188, height: 46, across: 52, along: 14, pad: 10 };
const NODE_DOWN = { width: 164, height: 46, across: 26, along: 12, pad: 10 };
const CHARS = { wide: 22, narrow: 19 };
const NARROW = '(max-width: 40rem)';

/** @param {{label: string, nodes: Array<Object>, onPick?: function(string): void}} options */
export function graph({ label, nodes, onPick }) {
  const box = h('div', { class: 'graph', role: 'group', 'aria-label': `${label}, as a graph. The list of steps says the same.`, data: { key: 'graph' } });
  const narrow = matchMedia(NARROW);
  let shape = '';
  let parts = new Map();
  let picked = null;
  let shown = nodes;

  const draw = () => {
    const size = narrow.matches ? NODE_DOWN : NODE;
    const isDown = narrow.matches;
    const place = layout(shown);
    const at = ({ layer, slot }) => isDown
      ? { x: size.pad + slot * (size.width + size.along), y: size.pad + layer * (size.height + size.across) }
      : { x: size.pad + layer * (size.width + size.across), y: size.pad + slot * (size.height + size.along) };
    const [wide, high] = isDown ? [place.slots, place.layers] : [place.layers, place.slots];
    const width = size.pad * 2 + wide * size.width + (wide - 1) * (isDown ? size.along : size.across);
    const height = size.pad * 2 + high * size.height + (high - 1) * (isDown ? size.across : size.along);
    parts = new Map();
    const states = new Map(shown.map((node) => [node.id, node.state]));
    fill(box, svg('svg', { width, height, viewBox: `0 0 ${width} ${height}`, role: 'presentation' },
      place.edges.map((edge) => svg('path', { class: ['edge', states.get(edge.from) === 'succeeded' && 'done'], d: curve(edge.points.map(at), size, isDown), data: { from: edge.from } })),
      shown.map((node) => {
        const { x, y } = at(place.places.get(node.id));
        const group = svg('g', { class: 'node', transform: `translate(${x} ${y})`, tabindex: picked ? (picked === node.id ? 0 : -1) : (node === shown[0] ? 0 : -1), role: 'button', data: { id: node.id }, on: {
          click: () => choose(node.id),
          keydown: (event) => pressed(event, node.id, place, isDown),
        } });
        parts.set(node.id, group);
        paint(group, node, size);
        return group;
      })));
    mark();
  };

  const paint = (group, node, size = narrow.matches ? NODE_DOWN : NODE) => {
    const { tone, icon, word } = statusOf(node.state);
    const chars = narrow.matches ? CHARS.narrow : CHARS.wide;
    group.setAttribute('aria-label', plain(`${node.id}${node.sub ? `, ${node.sub}` : ''}, ${word}${node.note ? `, ${node.note}` : ''}${node.needs?.length ? `, after ${node.needs.join(', ')}` : ''}`));
    group.setAttribute('class', `node ${tone} ${node.state}`);
    fill(group, svg('title', null, plain(node.title && node.title !== node.id ? `${node.id}: ${node.title}` : node.id)),
      svg('rect', { class: 'plate', width: size.width, height: size.height, rx: 7 }),
      svg('rect', { class: 'edge-mark', width: 4, height: size.height - 16, x: 0, y: 8, rx: 2 }),
      svg('path', { class: 'ring', d: iconPath(icon), transform: 'translate(12 15)' }),
      svg('text', { class: 'name', x: 36, y: 20 }, plain(node.id, chars)),
      svg('text', { class: 'sub', x: 36, y: 35 }, plain([node.sub, node.note].filter(Boolean).join(' · '), chars + 4)));
  };

  const choose = (id) => { pick(id); onPick?.(id); };
  const pick = (id) => { picked = id; mark(); };
  const mark = () => {
    let isFirst = true;
    for (const [id, group] of parts) {
      group.setAttribute('aria-pressed', String(id === picked));
      group.setAttribute('tabindex', (picked && parts.has(picked) ? id === picked : isFirst) ? '0' : '-1');
      isFirst = false;
    }
  };

  const pressed = (event, id, place, isDown) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); choose(id); return; }
    const [ahead, behind, before, after] = isDown ? ['ArrowDown', 'ArrowUp', 'ArrowLeft', 'ArrowRight'] : ['ArrowRight', 'ArrowLeft', 'ArrowUp', 'ArrowDown'];
    const here = place.places.get(id);
    const nearest = (ids) => ids.map((other) => [other, place.places.get(other)])
      .sort((a, b) => Math.abs(a[1].slot - here.slot) - Math.abs(b[1].slot - here.slot))[0]?.[0];
    let next = null;
    if (event.key === ahead) next = nearest(place.edges.filter((edge) => edge.from === id).map((edge) => edge.to));
    else if (event.key === behind) next = nearest(place.edges.filter((edge) => edge.to === id).map((edge) => edge.from));
    else if (event.key === before || event.key === after) {
      const side = [...place.places].filter(([, other]) => other.layer === here.layer && (event.key === after ? other.slot > here.slot : other.slot < here.slot)).map(([other]) => other);
      next = nearest(side);
    } else return;
    event.preventDefault();
    if (next) { parts.get(next).focus(); parts.get(next).scrollIntoView({ block: 'nearest', inline: 'nearest' }); }
  };

  const shapeOf = (list) => JSON.stringify(list.map((node) => [node.id, node.needs]));
  const update = (list) => {
    shown = list;
    const next = shapeOf(list);
    if (next !== shape) { shape = next; draw(); return; }
    for (const node of list) paint(parts.get(node.id), node);
    const states = new Map(list.map((node) => [node.id, node.state]));
    for (const edge of box.querySelectorAll('.edge')) edge.classList.toggle('done', states.get(edge.dataset.from) === 'succeeded');
  };

  narrow.addEventListener('change', draw);
  update(nodes);
  return { element: box, update, pick, stop: () => narrow.removeEventListener('change', draw) };
}

function curve(points, size, isDown) {
  const [half, whole] = isDown ? [size.width / 2, size.height] : [size.height / 2, size.width];
  const out = (point) => isDown ? { x: point.x + half, y: point.y + whole } : { x: point.x + whole, y: point.y + half };
  const into = (point) => isDown ? { x: point.x + half, y: point.y } : { x: point.x, y: point.y + half };
  let path = '';
  for (let index = 1; index < points.length; index++) {
    const [a, b] = [out(points[index - 1]), into(points[index])];
    if (index === 1) path += `M${a.x} ${a.y}`;
    else path += `L${a.x} ${a.y}`;
    path += isDown ? `C${a.x} ${(a.y + b.y) / 2} ${b.x} ${(a.y + b.y) / 2} ${b.x} ${b.y}` : `C${(a.x + b.x) / 2} ${a.y} ${(a.x + b.x) / 2} ${b.y} ${b.x} ${b.y}`;
  }
  return path;
}
