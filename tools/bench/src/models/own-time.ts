import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { median } from '../measure/median.js';

const script = fileURLToPath(new URL('./own-run.js', import.meta.url));

export interface OwnRun {
  readonly path: string;
  readonly input: string;
  readonly columns: number;
  readonly rows: number;
  readonly runs: number;
}

/** Median time of one run of the model by itself, ms; the first fifth warms up. @throws Error when the model does not load. */
export async function ownTimeMs({ path, input, columns, rows, runs }: OwnRun): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [script, path, input, String(columns), String(rows), String(runs)]);
  const times = JSON.parse(stdout) as number[];
  const middle = median(times.slice(Math.floor(times.length / 5)));
  if (middle === null) throw new Error(`${path} was never run`);
  return middle;
}
