/** The parts of a package.json that the rules look at. */
export interface Manifest {
  readonly name: string;
  readonly tags: readonly string[];
  readonly workspaces: readonly string[];
  /** Names of what it needs to run, and of what only its development needs. */
  readonly dependencies: readonly string[];
  readonly devDependencies: readonly string[];
  readonly hasCommand: boolean;
  /** Sub-path (`.`, `./testing`) to source file, by the condition `@millrace/source`. */
  readonly sources: ReadonlyMap<string, string>;
  /** Files named by bin, main and scripts, as they are written there. */
  readonly named: readonly string[];
}

export const sourceCondition = '@millrace/source';

type Table = Readonly<Record<string, unknown>>;

const isTable = (value: unknown): value is Table => typeof value === 'object' && value !== null && !Array.isArray(value);
const tableOf = (value: unknown): Table => (isTable(value) ? value : {});
const textsOf = (value: unknown): string[] => (Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []);

export function parseManifest(text: string): Manifest {
  const manifest = tableOf(JSON.parse(text));
  const commands = typeof manifest['bin'] === 'string' ? [manifest['bin']] : textsOf(Object.values(tableOf(manifest['bin'])));
  const words = textsOf(Object.values(tableOf(manifest['scripts']))).flatMap((script) => script.split(/[\s;&|]+/));
  const sources = Object.entries(tableOf(manifest['exports'])).flatMap(([subPath, target]): [string, string][] => {
    const source = tableOf(target)[sourceCondition];
    return typeof source === 'string' ? [[subPath, source]] : [];
  });
  return {
    name: typeof manifest['name'] === 'string' ? manifest['name'] : '',
    tags: textsOf(tableOf(manifest['nx'])['tags']),
    workspaces: textsOf(manifest['workspaces']),
    dependencies: [...Object.keys(tableOf(manifest['dependencies'])), ...Object.keys(tableOf(manifest['peerDependencies']))],
    devDependencies: Object.keys(tableOf(manifest['devDependencies'])),
    hasCommand: commands.length > 0,
    sources: new Map(sources),
    named: [...commands, ...(typeof manifest['main'] === 'string' ? [manifest['main']] : []), ...words.filter((word) => /\.[mc]?[jt]s$/.test(word))],
  };
}
