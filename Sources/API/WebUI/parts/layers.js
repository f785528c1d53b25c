// Where the nodes of an acyclic graph go: layers by longest path, long edges by way of empty places, few crossings by
// barycentres. Numbers only; graph.js draws.
//
//   layout([{ id, needs: [id] }])  →  { places: Map(id → { layer, slot }), edges: [{ from, to, points: [{ layer, slot }] }], layers, slots }

const SWEEPS = 4;

/** @param {Array<{id: string, needs: Array<string>}>} nodes */
export function layout(nodes) {
  const byID = new Map(nodes.map((node) => [node.id, node]));
  const needs = (node) => (node.needs ?? []).filter((id) => byID.has(id) && id !== node.id);
  const layerOf = new Map();
  const depth = (id, path) => {
    if (layerOf.has(id)) return layerOf.get(id);
    if (path.has(id)) return 0;
    path.add(id);
    const layer = Math.max(-1, ...needs(byID.get(id)).map((need) => depth(need, path))) + 1;
    path.delete(id);
    layerOf.set(id, layer);
    return layer;
  };
  for (const node of nodes) depth(node.id, new Set());

  // Rows of each layer: nodes, and places that long edges pass through.
  const rows = [];
  const put = (layer, cell) => (rows[layer] ??= []).push(cell);
  const cells = new Map();
  for (const node of nodes) {
    const cell = { id: node.id, before: [], after: [] };
    cells.set(node.id, cell);
    put(layerOf.get(node.id), cell);
  }
  const edges = [];
  for (const node of nodes) {
    for (const need of needs(node)) {
      const chain = [cells.get(need)];
      for (let layer = layerOf.get(need) + 1; layer < layerOf.get(node.id); layer++) {
        const cell = { id: null, before: [], after: [] };
        put(layer, cell);
        chain.push(cell);
      }
      chain.push(cells.get(node.id));
      for (let at = 1; at < chain.length; at++) {
        chain[at - 1].after.push(chain[at]);
        chain[at].before.push(chain[at - 1]);
      }
      edges.push({ from: need, to: node.id, chain });
    }
  }
  const number = (row) => row.forEach((cell, index) => { cell.slot = index; });
  rows.forEach(number);
  const order = (row, side) => {
    row.forEach((cell) => {
      const near = cell[side];
      cell.weight = near.length ? near.reduce((sum, other) => sum + other.slot, 0) / near.length : cell.slot;
    });
    row.sort((a, b) => a.weight - b.weight);
    number(row);
  };
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (let at = 1; at < rows.length; at++) order(rows[at], 'before');
    for (let at = rows.length - 2; at >= 0; at--) order(rows[at], 'after');
  }
  // Centred, so that a chain is a straight line.
  const slots = Math.max(1, ...rows.map((row) => row.length));
  rows.forEach((row, layer) => row.forEach((cell) => { cell.layer = layer; cell.slot += (slots - row.length) / 2; }));
  return {
    places: new Map([...cells].map(([id, { layer, slot }]) => [id, { layer, slot }])),
    edges: edges.map(({ from, to, chain }) => ({ from, to, points: chain.map(({ layer, slot }) => ({ layer, slot })) })),
    layers: rows.length, slots,
  };
}
