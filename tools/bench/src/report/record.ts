import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { checkoutFolder } from '@millrace/stack';
import type { BenchSettings, Section } from '../cases/section.js';

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
}

/** One run of the benchmark, as it is kept. */
export interface BenchRecord {
  readonly format: 'millrace-bench/1';
  readonly startedAt: string;
  readonly tookSeconds: number;
  readonly machine: Machine;
  /** Of one, five and fifteen minutes; what others did to this machine meanwhile. */
  readonly loadBefore: readonly number[];
  readonly loadAfter: readonly number[];
  readonly versions: Readonly<Record<string, string>>;
  readonly settings: BenchSettings;
  readonly sections: readonly Section[];
  readonly skipped: readonly { readonly what: string; readonly why: string }[];
}

export function describeMachine(): Machine {
  const processors = cpus();
  return { processor: processors[0]?.model ?? 'unknown', cores: processors.length, memoryGb: Math.round(totalmem() / 2 ** 30), system: `${process.platform} ${release()} ${process.arch}` };
}

function packageVersion(name: string): string {
  try {
    return (JSON.parse(readFileSync(join(checkoutFolder, 'node_modules', name, 'package.json'), 'utf8')) as { version: string }).version;
  } catch {
    return 'not installed';
  }
}

function commit(): string {
  try {
    const git = (...parameters: string[]): string => execFileSync('git', parameters, { cwd: checkoutFolder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain') === '' ? '' : ' with changes'}`;
  } catch {
    return 'unknown';
  }
}

export const describeVersions = (): Record<string, string> => ({ millrace: commit(), node: process.versions.node, fastify: packageVersion('fastify'), 'onnxruntime-node': packageVersion('onnxruntime-node'), kafkajs: packageVersion('kafkajs') });

export const currentLoad = (): number[] => loadavg().map((value) => Math.round(value * 100) / 100);

/** @throws Error when the file is no record of a run. */
export function readRecord(path: string): BenchRecord {
  const found = JSON.parse(readFileSync(path, 'utf8')) as Partial<BenchRecord>;
  if (found.format !== 'millrace-bench/1') throw new Error(`${path} is no record of \`npm run bench -- gateway --json\``);
  return found as BenchRecord;
}
