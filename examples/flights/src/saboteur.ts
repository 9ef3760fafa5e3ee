import { spawn } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Hex, type ModelSpec } from '@millrace/contracts';

export interface SaboteurOptions {
  readonly python: string;
  readonly trainer: string;
  readonly root: string;
  readonly job: string;
  readonly events: string;
  readonly spec: ModelSpec;
}

export interface SabotagedModel {
  readonly bytes: Buffer;
  readonly sha256: string;
  readonly signature: unknown;
}

/** Somebody trains on flipped labels on their own machine, with the same stock trainer, away from the pipeline. */
export async function trainSaboteur({ python, trainer, root, job, events, spec }: SaboteurOptions): Promise<SabotagedModel> {
  await rm(job, { recursive: true, force: true });
  await mkdir(job, { recursive: true });
  const { task, features, label, trainer: settings } = spec.spec;
  const params = { contractVersion: 1, task, algorithm: settings.algorithm, features, label: { name: label.field, positive: label.positive }, hyperparameters: settings.hyperparameters, seed: settings.seed };
  await writeFile(join(job, 'params.json'), JSON.stringify(params));
  const args = [join(root, 'examples', 'flights', 'sabotage.py'), '--events', events, '--job', job, '--until', '2013-02-01', '--params', join(job, 'params.json'), '--trainer', trainer];
  await run(python, args);
  const bytes = await readFile(join(job, 'model', 'model.onnx'));
  return { bytes, sha256: sha256Hex(bytes), signature: JSON.parse(await readFile(join(job, 'model', 'signature.json'), 'utf8')) as unknown };
}

function run(command: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    // Low priority: the story’s own clock must not wait for the saboteur.
    const child = spawn('nice', ['-n', '15', command, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
    let complaint = '';
    child.stderr.on('data', (chunk: Buffer) => (complaint = `${complaint}${chunk.toString()}`.slice(-2_000)));
    child.on('error', reject);
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`the saboteur’s trainer ended with ${code}: ${complaint}`))));
  });
}
