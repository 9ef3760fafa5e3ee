import type { Tensor, Tensors } from '@millrace/contracts';
import type { ModelHost } from './model-host.js';

export const column = (values: readonly number[]): Tensor => ({ datatype: 'FP32', shape: [values.length, 1], data: Float32Array.from(values) });
export const texts = (values: readonly string[]): Tensor => ({ datatype: 'BYTES', shape: [values.length, 1], data: values });
export const wholes = (values: readonly number[]): Tensor => ({ datatype: 'INT32', shape: [values.length, 1], data: Int32Array.from(values) });

/** For loopModel: so many turns over a value of so many columns. */
export const turns = (times: number, columns = 1): Tensors => ({
  times: { datatype: 'INT64', shape: [1], data: BigInt64Array.of(BigInt(times)) },
  x: { datatype: 'FP32', shape: [1, columns], data: new Float32Array(columns).fill(1) },
});

/** More turns than anybody waits for. */
export const endless = 2 ** 60;

/** Waits for a state; the runner's own limit of time is the only clock. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Resident process ids of workers that hold a model of this name. */
export const pidOf = (host: ModelHost, name: string): number => host.workers.find(({ models }) => models.includes(name))?.pid ?? -1;

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Keeps a promise's outcome without letting it be an unhandled rejection meanwhile. */
export const outcomeOf = async (promise: Promise<unknown>): Promise<string> => promise.then(() => 'answered', (error: { code?: string }) => error.code ?? String(error));
