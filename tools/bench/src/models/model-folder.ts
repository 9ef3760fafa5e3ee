import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { busyModel, tinyModel } from './busy-model.js';
import { ownTimeMs } from './own-time.js';
import { featureNames, treeEnsemble } from './tree-ensemble.js';

export const vectorModel = 'trees';
export const columnsModel = 'trees-by-name';

export const vectorModelBytes = (): Buffer => treeEnsemble({ trees: 100, depth: 6, seed: 1, inputs: 'vector' });
export const columnsModelBytes = (): Buffer => treeEnsemble({ trees: 100, depth: 6, seed: 1, inputs: 'columns' });

export function placeModel(folder: string, name: string, version: string, bytes: Uint8Array, serving?: object): string {
  const place = join(folder, name, version);
  mkdirSync(place, { recursive: true });
  const path = join(place, 'model.onnx');
  writeFileSync(path, bytes);
  // JSON is YAML.
  if (serving !== undefined) writeFileSync(join(folder, name, 'model.yaml'), JSON.stringify(serving));
  return path;
}

export function freshFolder(folder: string): string {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** The ensemble of the benchmark, once as one tensor and once as ten named inputs. */
export function placeEnsembles(folder: string): void {
  placeModel(folder, vectorModel, '1', vectorModelBytes(), { task: 'regression', features: featureNames });
  placeModel(folder, columnsModel, '1', columnsModelBytes(), { task: 'regression' });
}

export function placeTinyModels(folder: string, count: number): void {
  for (let index = 0; index < count; index += 1) placeModel(folder, `tiny-${String(index).padStart(3, '0')}`, '1', tinyModel(1 + index / 1_000), { task: 'regression' });
}

export interface BusyPlace {
  readonly path: string;
  /** Of one row by itself, on this machine, ms. */
  readonly ownMs: number;
}

/** How many sines take about `wantedMs` a row on this machine: found by trying. */
export async function sinesFor(folder: string, wantedMs: number): Promise<number> {
  const trial = 40;
  const path = placeModel(folder, '.trial', '1', busyModel(trial));
  const trialMs = await ownTimeMs({ path, input: 'x', columns: 1, rows: 1, runs: 40 });
  rmSync(join(folder, '.trial'), { recursive: true, force: true });
  return Math.max(1, Math.round((trial * wantedMs) / trialMs));
}

/** A model whose row takes about `wantedMs` on this machine. */
export async function placeBusyModel(folder: string, name: string, wantedMs: number, serving: object): Promise<BusyPlace> {
  const path = placeModel(folder, name, '1', busyModel(await sinesFor(folder, wantedMs)), { task: 'regression', serving });
  return { path, ownMs: await ownTimeMs({ path, input: 'x', columns: 1, rows: 1, runs: Math.max(5, Math.round(400 / wantedMs)) }) };
}

