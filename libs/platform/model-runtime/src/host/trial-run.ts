import { elementCount, type Tensor, type TensorSpec } from '@millrace/contracts';
import { frameKinds, tensorFrame } from '../wire/frame.js';
import type { Lane } from './lane.js';
import { LaneLost, type Loaded } from './seating.js';

const elementsMax = 1_000_000;
/** A trial that takes longer shows a model that hangs on what no client sent: it is left alone. */
const trialMsMax = 2000;

/** One row of ones and empty texts, or the smallest input the model allows. */
function trialInput({ datatype, shape: declared }: TensorSpec): Tensor {
  const shape = declared.map((dim) => (dim === -1 ? 1 : dim));
  const count = elementCount(shape);
  switch (datatype) {
    case 'BYTES': return { datatype, shape, data: Array<string>(count).fill('') };
    case 'BOOL': case 'UINT8': return { datatype, shape, data: new Uint8Array(count).fill(1) };
    case 'UINT16': return { datatype, shape, data: new Uint16Array(count).fill(1) };
    case 'FP16': return { datatype, shape, data: new Uint16Array(count).fill(0x3c00) }; // 1.0
    case 'UINT32': return { datatype, shape, data: new Uint32Array(count).fill(1) };
    case 'UINT64': return { datatype, shape, data: new BigUint64Array(count).fill(1n) };
    case 'INT8': return { datatype, shape, data: new Int8Array(count).fill(1) };
    case 'INT16': return { datatype, shape, data: new Int16Array(count).fill(1) };
    case 'INT32': return { datatype, shape, data: new Int32Array(count).fill(1) };
    case 'INT64': return { datatype, shape, data: new BigInt64Array(count).fill(1n) };
    case 'FP32': return { datatype, shape, data: new Float32Array(count).fill(1) };
    case 'FP64': return { datatype, shape, data: new Float64Array(count).fill(1) };
  }
}

function runOnce(lane: Lane, slot: number, inputs: readonly TensorSpec[]): Promise<number> {
  return new Promise((resolve, reject) => {
    lane.worker.ask({
      slot,
      expectedMs: 0,
      limitMs: trialMsMax,
      onAnswer: (frame) => resolve(frame.kind === frameKinds.ran ? frame.second : 0), // a model may well refuse made-up values
      onLost: (reason, started) => reject(new LaneLost(reason, started)),
    }, (exchange) => {
      const tensors = inputs.map(trialInput).map((tensor) => ({ datatype: tensor.datatype, shape: tensor.shape, parts: [tensor] }));
      return tensorFrame({ exchange, slot, kind: frameKinds.run, first: Infinity }, tensors);
    });
  });
}

/**
 * Runs a freshly loaded model twice, so that the first request finds its memory in place and its speed known.
 * @returns milliseconds of the faster run (the first is often slow, and a busy machine may hold either up); 0 when the model did not run.
 * @throws LaneLost when the made-up values crash or hang the model.
 */
export async function trialRun(lane: Lane, { slot, report: { inputs } }: Loaded): Promise<number> {
  const elements = inputs.reduce((sum, { shape }) => sum + elementCount(shape.map((dim) => (dim === -1 ? 1 : dim))), 0);
  if (elements > elementsMax) return 0;
  const firstMs = await runOnce(lane, slot, inputs);
  return Math.min(firstMs, await runOnce(lane, slot, inputs));
}
