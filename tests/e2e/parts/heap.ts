/** The form in which V8 writes a heap down, as far as it matters here: nodes and edges as rows of numbers. */
export interface HeapSnapshot {
  readonly snapshot: {
    readonly meta: {
      readonly node_fields: readonly string[];
      readonly node_types: readonly [types: readonly string[], ...unknown[]];
      readonly edge_fields: readonly string[];
      readonly edge_types: readonly [types: readonly string[], ...unknown[]];
    };
  };
  readonly nodes: readonly number[];
  readonly edges: readonly number[];
  readonly strings: readonly string[];
}

/**
 * The strings of a heap that hold something.
 * @param wanted for each thing looked for, the texts of which a string holds at least one
 * @returns for each thing, for each string that holds it, all that hold the string: `Holder.name`
 */
export function holdersOfStrings(
  { snapshot: { meta }, nodes, edges, strings }: HeapSnapshot,
  wanted: readonly (readonly string[])[],
): readonly (readonly (readonly string[])[])[] {
  const texts = wanted.map(
    (parts) => new Set(strings.flatMap((text, index) => (parts.some((part) => text.includes(part)) ? [index] : []))),
  );
  const isWanted = new Set(texts.flatMap((indices) => Array.from(indices)));

  const width = meta.node_fields.length;
  const [typeAt = 0, nameAt = 0, countAt = 0] = ['type', 'name', 'edge_count'].map((name) =>
    meta.node_fields.indexOf(name),
  );
  const stringType = meta.node_types[0].indexOf('string');
  /** By node. */
  const holders = new Map<number, string[]>();
  for (let node = 0; node < nodes.length; node += width)
    if (nodes[node + typeAt] === stringType && isWanted.has(nodes[node + nameAt] ?? -1)) holders.set(node, []);

  const edgeTypes = meta.edge_types[0];
  let edge = 0;
  for (let node = 0; node < nodes.length; node += width)
    for (let count = nodes[node + countAt] ?? 0; count > 0; count--, edge += meta.edge_fields.length) {
      const held = holders.get(edges[edge + 2] ?? -1);
      const type = edgeTypes[edges[edge] ?? 0] ?? '';
      if (!held || type === 'weak') continue;
      const name = edges[edge + 1] ?? 0;
      const calls = ['element', 'hidden'].includes(type) ? String(name) : (strings[name] ?? '');
      held.push(`${(strings[nodes[node + nameAt] ?? 0] ?? '').slice(0, 40)}.${calls}`);
    }
  return texts.map((indices) =>
    Array.from(holders).flatMap(([node, by]) => (indices.has(nodes[node + nameAt] ?? -1) ? [by] : [])),
  );
}
