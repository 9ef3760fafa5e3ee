import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What `nx graph --file` writes, as far as the rules need it. */
export interface ProjectGraph {
  readonly nodes: Readonly<Record<string, { readonly data: { readonly root: string; readonly tags?: readonly string[] } }>>;
  readonly dependencies: Readonly<Record<string, readonly { readonly source: string; readonly target: string }[]>>;
}

export const emptyGraph: ProjectGraph = { nodes: {}, dependencies: {} };

const limitMs = 120_000;

/** Asks Nx, without its daemon. @throws Error with what Nx said. */
export function readProjectGraph(checkout: string): ProjectGraph {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-tidy-'));
  try {
    const file = join(folder, 'graph.json');
    const nx = join(checkout, 'node_modules', 'nx', 'dist', 'bin', 'nx.js');
    const environment = { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false', CI: 'true' };
    const { status, stdout, stderr, error } = spawnSync(process.execPath, [nx, 'graph', `--file=${file}`], { cwd: checkout, env: environment, encoding: 'utf8', timeout: limitMs });
    if (status !== 0) throw new Error(`nx graph failed (${error?.message ?? `status ${status}`}):\n${stdout}${stderr}`);
    const { graph } = JSON.parse(readFileSync(file, 'utf8')) as { graph: ProjectGraph };
    return graph;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
