import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Hex, type ModelSpec } from '@millrace/contracts';
import type { Plan } from './plan.js';

/** Lays out one attempt as trainer contract v1 wants it. Each attempt has a folder of its own. */
export async function layOutJob(folder: string, plan: Plan, datasetFolder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, 'input', 'config'), { recursive: true });
  await mkdir(join(folder, 'model'), { recursive: true });
  await mkdir(join(folder, 'output'), { recursive: true });
  await cp(datasetFolder, join(folder, 'input', 'data'), { recursive: true });
  const params = paramsOf(plan.spec, plan.seed);
  await writeFile(join(folder, 'input', 'config', 'params.json'), JSON.stringify(params, null, 1));
  await writeFile(join(folder, 'input', 'config', 'hyperparameters.json'), JSON.stringify(params.hyperparameters, null, 1));
  await writeFile(join(folder, 'input', 'config', 'dataset.json'), JSON.stringify({ datasetVersion: plan.datasetVersion, ...plan.manifest }, null, 1));
}

function paramsOf(spec: ModelSpec['spec'], seed: number) {
  const { field: name, positive, classes } = spec.label;
  return {
    contractVersion: 1,
    task: spec.task,
    algorithm: spec.trainer.algorithm,
    features: spec.features.map((feature) => ({ name: feature.name, type: feature.type })),
    label: { name, ...(spec.task === 'binary' && positive !== undefined ? { positive } : {}), ...(spec.task === 'multiclass' ? { classes } : {}) },
    hyperparameters: spec.trainer.hyperparameters,
    seed,
  };
}

/** SHA-256 over the trainer’s sources and its pinned packages, paths included: another trainer is another recipe. */
export async function trainerHash(folder: string): Promise<string> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const sources = names.filter((name) => (name.endsWith('.py') && !name.startsWith('test')) || name === 'requirements.txt').sort();
  const lines: string[] = [];
  for (const name of sources) lines.push(`${name} ${sha256Hex(await readFile(join(folder, name)))}\n`);
  return sha256Hex(lines.join(''));
}
