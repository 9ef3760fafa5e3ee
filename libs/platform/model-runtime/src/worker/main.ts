// A process that holds models' sessions and runs them one after the other, as its host asks through descriptor 3.
// It ends with its host: the stream's end is the order to leave. Nothing of the contracts is loaded here, for memory's sake.
import { InferenceSession, Tensor as OnnxTensor } from 'onnxruntime-node';
import { sessionOptions } from '../onnx-session-options.js';
import { fromOnnx, specFromOnnx, toOnnx } from '../onnx-tensors.js';
import { frameKinds, jsonFrame, tensorFrame, type Frame, type LoadOrder, type LoadReport } from '../wire/frame.js';
import { FramePipe } from './frame-pipe.js';

const pipe = new FramePipe(3);
const sessions = new Map<number, InferenceSession>();
// From this process's clock to the machine's monotonic one, which deadlines are told in.
const monotonicOffsetMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

function isLoadOrder(value: unknown): value is LoadOrder {
  return typeof value === 'object' && value !== null && 'path' in value && typeof value.path === 'string' && 'threads' in value && typeof value.threads === 'number';
}

async function load(frame: Frame): Promise<LoadReport> {
  const order = frame.json();
  if (!isLoadOrder(order)) throw new Error('the host sent no load order');
  const before = process.memoryUsage.rss();
  const session = await InferenceSession.create(order.path, sessionOptions(order.threads));
  try {
    const inputs = session.inputMetadata.map((item) => specFromOnnx('input', item));
    const outputs = session.outputMetadata.map((item) => specFromOnnx('output', item));
    sessions.set(frame.slot, session);
    return { inputs, outputs, addedBytes: Math.max(0, process.memoryUsage.rss() - before) };
  } catch (error) {
    await session.release();
    throw error;
  }
}

function sessionOf(frame: Frame): InferenceSession {
  const session = sessions.get(frame.slot);
  if (session === undefined) throw new Error('the worker holds no model in this slot');
  return session;
}

async function run(frame: Frame): Promise<Uint8Array> {
  const { exchange, slot } = frame;
  const startedMs = performance.now();
  if (startedMs + monotonicOffsetMs > frame.first) return jsonFrame({ exchange, slot, kind: frameKinds.expired }, undefined, pipe.room);
  const session = sessionOf(frame);
  const feeds: Record<string, OnnxTensor> = {};
  for (const [index, tensor] of frame.tensors().entries()) feeds[session.inputNames[index] ?? ''] = toOnnx(tensor);
  const readMs = performance.now();
  const results = await session.run(feeds);
  const ranMs = performance.now();
  const outputs = session.outputNames.map((name) => {
    const result = results[name];
    if (!(result instanceof OnnxTensor)) throw new Error(`the model gave no tensor for its output ${name}`);
    const tensor = fromOnnx(name, result);
    if (tensor.datatype === 'BYTES' && tensor.data.some((text) => text.includes('\0'))) throw new Error(`output ${name} has a text with a NUL`);
    return { datatype: tensor.datatype, shape: tensor.shape, parts: [tensor] };
  });
  // The third time is the reading of the outputs; laying them into the frame comes after it, and the host counts that as its own.
  return tensorFrame({ exchange, slot, kind: frameKinds.ran, first: readMs - startedMs, second: ranMs - readMs, third: performance.now() - ranMs }, outputs, pipe.room);
}

async function unload(frame: Frame): Promise<void> {
  const session = sessions.get(frame.slot);
  sessions.delete(frame.slot);
  await session?.release();
}

async function answer(frame: Frame): Promise<Uint8Array> {
  const { exchange, slot, kind } = frame;
  try {
    if (kind === frameKinds.run) return await run(frame);
    if (kind === frameKinds.load) return jsonFrame({ exchange, slot, kind: frameKinds.loaded }, await load(frame), pipe.room);
    await unload(frame);
    return jsonFrame({ exchange, slot, kind: frameKinds.unloaded }, undefined, pipe.room);
  } catch (cause) {
    return jsonFrame({ exchange, slot, kind: frameKinds.failed }, { reason: reasonOf(cause) }, pipe.room);
  }
}

// A supervisor may signal the whole group; the host answers what it has accepted first, then closes the stream.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);

try {
  for (let frame = pipe.next(); frame !== null; frame = pipe.next()) pipe.write(await answer(frame));
} catch (error) {
  process.stderr.write(`${reasonOf(error)}\n`);
}
// No tidying up: the sessions go with the process, and releasing them one by one would only delay that.
process.exit(0);
