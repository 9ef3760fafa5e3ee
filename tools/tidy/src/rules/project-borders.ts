import { findCycle } from '../cycle.js';
import type { ProjectGraph } from '../project-graph.js';
import type { Breach, Rule } from '../rule.js';
import { layers, layersOf } from './layers.js';

type Node = ProjectGraph['nodes'][string];

/** Judges the edges that Nx finds in imports and package.json files. Edges to the testing library are judged file by file (testing-place). */
export const projectBorders: Rule = {
  name: 'project-borders',
  habit: 'app → core, platform, contracts; core → contracts; platform → platform, contracts; no cycle (nx graph).',
  judge: ({ graph }) => [...graphIsThere(graph), ...Object.values(graph.dependencies).flat().flatMap((edge) => judgeEdge(graph, edge)), ...judgeCycle(graph)],
};

/** An empty answer would let every border pass. */
function graphIsThere(graph: ProjectGraph): Breach[] {
  return Object.keys(graph.nodes).length > 0 ? [] : [{ file: 'nx.json', line: 1, message: 'nx graph names no project' }];
}

function judgeEdge(graph: ProjectGraph, edge: { readonly source: string; readonly target: string }): Breach[] {
  const [source, target] = [graph.nodes[edge.source], graph.nodes[edge.target]];
  if (source === undefined || target === undefined) return []; // a package from outside
  const [from, to] = [layerOf(source), layerOf(target)];
  if (from === undefined || to === undefined) return []; // layer-tag speaks of these
  if (to === 'layer:testing' || layers[from]?.mayUse.includes(to) === true) return [];
  return [{ file: `${source.data.root}/package.json`, line: 1, message: `${edge.source} (${from}) must not depend on ${edge.target} (${to})` }];
}

const layerOf = (node: Node): string | undefined => layersOf(node.data.tags ?? []).find((tag) => tag in layers);

function judgeCycle(graph: ProjectGraph): Breach[] {
  const edges = new Map(Object.entries(graph.dependencies).map(([name, list]) => [name, list.map(({ target }) => target).filter((target) => target in graph.nodes)]));
  const cycle = findCycle(edges);
  const first = cycle?.[0] === undefined ? undefined : graph.nodes[cycle[0]];
  return cycle === undefined || first === undefined ? [] : [{ file: `${first.data.root}/package.json`, line: 1, message: `projects depend on each other in a circle: ${cycle.join(' → ')}` }];
}
