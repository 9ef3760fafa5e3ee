// The thread that explains. Reading graphs, walking trees and writing large answers would hold the event loop that answers
// predictions; here they hold this thread only. Models run in worker processes of its own host.
import { parentPort } from 'node:worker_threads';
import { MillraceError } from '@millrace/contracts';
import { openExplainer, type Explainer } from '@millrace/core/explanation';
import { ModelHost } from '@millrace/model-runtime';
import type { Failure, FromExplainer, ToExplainer } from './explainer-messages.js';

const host = new ModelHost({ workersMax: 1, spareIdleMs: 1_000 });
const explainers = new Map<string, Explainer>();
/** On the clock of performance.now(), of the work in hand. */
let deadlineMs = Infinity;

/** Lets messages in, and gives up work that nobody waits for any more. */
async function pause(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
  if (performance.now() > deadlineMs) throw new MillraceError('DEADLINE_EXCEEDED', 'the explanation was not finished within its time; ask for fewer rows, or give it more with timeoutMs');
}

function failureOf(error: unknown): Failure {
  if (!(error instanceof MillraceError)) return { code: 'INTERNAL', message: error instanceof Error ? error.message : String(error) };
  const { code, message, details: { mistakes } } = error;
  return { code, message, ...(mistakes === undefined ? {} : { mistakes }) };
}

async function answer(message: Extract<ToExplainer, { kind: 'open' | 'explain' }>): Promise<FromExplainer> {
  if (message.kind === 'open') {
    const { name, bytes, signature, featureNames, background, evaluationsMax } = message.file;
    const runtime = { load: (probed: Uint8Array) => host.load({ bytes: probed }, { name }) };
    const options = { ...(featureNames === undefined ? {} : { featureNames }), ...(background === undefined ? {} : { background }), ...(evaluationsMax === undefined ? {} : { evaluationsMax }), pause };
    explainers.set(message.key, await openExplainer(bytes, runtime, signature, options));
    return { kind: 'opened' };
  }
  const explainer = explainers.get(message.key);
  if (explainer === undefined) throw new Error(`no explainer ${message.key}`);
  deadlineMs = performance.now() + message.budgetMs;
  try {
    const explanations = await explainer.explain(message.rows, message.target);
    const { method, against, because } = explainer;
    return { kind: 'explained', body: new TextEncoder().encode(JSON.stringify({ model: message.model, version: message.version, method, against, because, explanations })) };
  } finally {
    deadlineMs = Infinity;
  }
}

async function take(message: ToExplainer): Promise<void> {
  if (message.kind === 'stop') {
    await host.close();
    parentPort?.close();
    return;
  }
  if (message.kind === 'close') {
    const explainer = explainers.get(message.key);
    explainers.delete(message.key);
    return explainer?.close();
  }
  const told = await answer(message).catch((error: unknown): FromExplainer => ({ kind: 'failed', failure: failureOf(error) }));
  parentPort?.postMessage(told, told.kind === 'explained' ? [told.body.buffer] : []);
}

/** One after the other, in the order in which they came. */
let turn = Promise.resolve();
parentPort?.on('message', (message: ToExplainer) => {
  turn = turn.then(() => take(message));
});
