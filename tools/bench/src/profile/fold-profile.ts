/** What V8 writes with --cpu-prof; the parts that are read here. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  /** µs between samples. */
  readonly timeDeltas: readonly number[];
}

export interface FoldedLine {
  readonly name: string;
  /** Time in the function itself, ms. */
  readonly selfMs: number;
  /** Time in it and all it called, ms; a function that calls itself counts once. */
  readonly totalMs: number;
}

export interface FoldedProfile {
  readonly totalMs: number;
  readonly idleMs: number;
  readonly functions: readonly FoldedLine[];
  /** By package or project folder. */
  readonly places: readonly FoldedLine[];
}

type Node = CpuProfile['nodes'][number];

/** `node:net`, `fastify/lib/reply.js`, `apps/inference-gateway/dist/edge/answers.js`: told apart without anybody’s home folder. */
export function shortPath(url: string): string {
  if (url === '') return '(native)';
  const path = url.replace(/^file:\/\//u, '');
  const packaged = path.lastIndexOf('/node_modules/');
  if (packaged !== -1 && !path.includes('/node_modules/@millrace/')) return path.slice(packaged + '/node_modules/'.length);
  return /(?:^|\/)((?:apps|libs|tools|examples)\/.+)$/u.exec(path)?.[1] ?? path;
}

/** The package, or the folder of the project. */
export function placeOf(url: string): string {
  const path = shortPath(url);
  if (path.startsWith('node:') || path.startsWith('(')) return path.startsWith('node:internal') ? path.split('/').slice(0, 2).join('/') : path;
  const parts = path.split('/');
  if (['apps', 'tools', 'examples'].includes(parts[0] ?? '')) return parts.slice(0, parts.length > 4 ? 4 : 2).filter((part) => part !== 'dist').join('/');
  if (parts[0] === 'libs') return parts.slice(0, parts[1] === 'platform' ? 3 : 2).join('/');
  return parts[0]?.startsWith('@') === true ? parts.slice(0, 2).join('/') : (parts[0] ?? path);
}

const isIdle = ({ callFrame: { functionName } }: Node): boolean => functionName === '(idle)' || functionName === '(program)';

function foldBy(profile: CpuProfile, selfOf: ReadonlyMap<number, number>, nameOf: (node: Node) => string): FoldedLine[] {
  const byId = new Map(profile.nodes.map((node) => [node.id, node]));
  const lines = new Map<string, { selfMs: number; totalMs: number }>();
  const visit = (id: number, above: ReadonlySet<string>): number => {
    const node = byId.get(id);
    if (node === undefined) return 0;
    const name = nameOf(node);
    const below = above.has(name) ? above : new Set([...above, name]);
    const self = selfOf.get(id) ?? 0;
    const total = (node.children ?? []).reduce((sum, child) => sum + visit(child, below), self);
    const line = lines.get(name) ?? { selfMs: 0, totalMs: 0 };
    lines.set(name, { selfMs: line.selfMs + self, totalMs: line.totalMs + (above.has(name) ? 0 : total) });
    return total;
  };
  const childIds = new Set(profile.nodes.flatMap(({ children }) => children ?? []));
  for (const { id } of profile.nodes) if (!childIds.has(id)) visit(id, new Set());
  return [...lines].map(([name, line]) => ({ name, ...line })).sort((a, b) => b.selfMs - a.selfMs);
}

/** Folds a profile by function and by place; time that the process was idle is left out of both. */
export function foldProfile(profile: CpuProfile): FoldedProfile {
  const selfOf = new Map<number, number>();
  profile.samples.forEach((id, index) => selfOf.set(id, (selfOf.get(id) ?? 0) + (profile.timeDeltas[index] ?? 0) / 1_000));
  const idle = profile.nodes.filter(isIdle);
  const idleMs = idle.reduce((sum, { id }) => sum + (selfOf.get(id) ?? 0), 0);
  for (const { id } of idle) selfOf.delete(id);
  const nameOf = ({ callFrame: { functionName, url, lineNumber } }: Node): string => `${functionName === '' ? '(anonymous)' : functionName}  ${url === '' ? '' : `${shortPath(url)}:${lineNumber + 1}`}`.trim();
  const busy = (line: FoldedLine): boolean => line.totalMs > 0 && !line.name.startsWith('(root)');
  return {
    totalMs: [...selfOf.values()].reduce((sum, ms) => sum + ms, 0),
    idleMs,
    functions: foldBy(profile, selfOf, nameOf).filter(busy),
    places: foldBy(profile, selfOf, ({ callFrame }) => (callFrame.functionName === '(garbage collector)' ? callFrame.functionName : placeOf(callFrame.url))).filter(({ selfMs }) => selfMs > 0),
  };
}
