export interface Probe {
  readonly platform: string;
  readonly arch: string;
  readonly nodeVersion: string;
  readonly musl: boolean;
  readonly run: (program: string, parameters: string[]) => string | undefined;
  readonly exists: (path: string) => boolean;
}
export interface Missing {
  readonly what: string;
  readonly found: string;
  readonly wayOut: readonly string[];
}
type Environment = Readonly<Record<string, string | undefined>>;
export function thisMachine(): Probe;
export function findPython(probe: Probe, environment: Environment): { program: string; version: string; fits: boolean } | undefined;
export function findMissing(probe: Probe, environment: Environment): Missing[];
export function describeMissing(missing: readonly Missing[]): string;
