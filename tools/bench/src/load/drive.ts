import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Histogram, percentilesOf, type Percentiles } from '../measure/histogram.js';
import type { LoadJob, LoadResult } from './job.js';

const script = fileURLToPath(new URL('./load-process.js', import.meta.url));

/** Runs the job in a process of its own. @throws Error when that process fails. */
export function drive(job: LoadJob): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const child = fork(script, [], { serialization: 'advanced', execArgv: [] });
    child.once('message', ({ result, error }: { result?: LoadResult; error?: string }) => (result === undefined ? reject(new Error(`the load generator failed: ${error}`)) : resolve(result)));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the load generator ended with ${code} before it had a result`)));
    child.send(job);
  });
}

/** What one window showed, in the units of the tables. */
export interface Window {
  readonly perSecond: number;
  readonly latency: Percentiles;
  readonly cpuUsPerRequest: number | null;
  readonly generatorCpuUsPerRequest: number | null;
  readonly statuses: Readonly<Record<string, number>>;
  readonly lost: Readonly<Record<string, number>>;
  readonly refused: Percentiles;
  readonly refusedWithoutRetryAfter: number;
  readonly sentLate: Percentiles;
  readonly firstRefusal: string | null;
}

export function windowOf(result: LoadResult): Window {
  const answered = Histogram.from(result.answered);
  const refused = Histogram.from(result.refused);
  const handled = answered.count + refused.count;
  const perRequest = (ms: number | null): number | null => (ms === null || handled === 0 ? null : (ms * 1_000) / handled);
  return {
    perSecond: (answered.count * 1_000) / result.windowMs,
    latency: percentilesOf(answered),
    cpuUsPerRequest: perRequest(result.serverCpuMs),
    generatorCpuUsPerRequest: perRequest(result.generatorCpuMs),
    statuses: result.statuses,
    lost: result.lost,
    refused: percentilesOf(refused),
    refusedWithoutRetryAfter: result.refusedWithoutRetryAfter,
    sentLate: percentilesOf(Histogram.from(result.sentLate)),
    firstRefusal: result.firstRefusal,
  };
}
