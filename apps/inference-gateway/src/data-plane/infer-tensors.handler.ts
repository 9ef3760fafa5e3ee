import { randomUUID } from 'node:crypto';
import { MillraceError } from '@millrace/contracts';
import { decodeInferRequest, encodeInferResponse, planRoute, selectOutputs, type EncodedMessage, type InferRequest } from '@millrace/core/inference';
import type { RunOptions, Tensors } from '@millrace/model-runtime';
import { deadlineOf } from './deadline.js';
import type { Fallbacks } from './fallbacks.js';
import type { Instance } from './instance-judge.js';
import { versionOf, type ModelDirectory } from './model-directory.js';
import type { LiveRoute } from './route-book.js';
import type { Group, GroupAnswer, ServedAnswers, Timing } from './served-answers.js';

export interface InferCall {
  readonly model: string;
  readonly version: string | undefined;
  readonly body: Uint8Array;
  /** Length of the JSON part, when binary tensors follow it. */
  readonly headerLength: number | undefined;
  readonly traceparent: string | undefined;
}

/**
 * `POST /v2/models/{model}[/versions/{version}]/infer`. Without a version the route decides, sticky on the request’s id,
 * and a tabular model’s rows are logged like any prediction, under the record ids `{id}` (one row) or `{id}/{row}`.
 * Who names a version asks that version, outside of the split; such answers are no traffic and are not logged.
 */
export class InferTensorsHandler {
  constructor(
    private readonly models: ModelDirectory,
    private readonly answers: ServedAnswers,
    private readonly fallbacks: Fallbacks,
  ) {}

  /** @returns the encoded answer. @throws MillraceError TENSOR_INVALID, MODEL_*, VERSION_UNKNOWN, DEADLINE_EXCEEDED. */
  async handle({ model, version, body, headerLength, traceparent }: InferCall): Promise<EncodedMessage> {
    const startedMs = performance.now();
    const live = this.models.liveRoute(model);
    try {
      const request = decodeInferRequest(body, { headerLength, rawInput: () => rawInputOf(versionOf(live, version).inputs) });
      const id = request.id === undefined || request.id === '' ? randomUUID() : request.id;
      const group = groupOf(live, version, id);
      const { timeoutUs, priority } = request;
      const logs = version === undefined && group.version.isTabular;
      const timing = { startedMs, traceparent };
      const options = deadlineOf(group.version, startedMs, timeoutUs === undefined ? undefined : timeoutUs / 1_000, priority);
      const given = await this.ask(group, request, id, options, logs).catch(async (error: unknown) => {
        if (version !== undefined) throw error;
        const instead = await this.askFallback(live, group, request, id, options, logs, error);
        if (instead !== null) return instead;
        if (logs) await this.answers.failed(live, ...rowsOf(group, request, id), error, timing);
        throw this.fallbacks.failureOf(live, error);
      });
      const marked = given.fallback === undefined ? {} : { parameters: { fallback: given.fallback } };
      const answer = encodeInferResponse({ modelName: model, modelVersion: group.version.version, id, ...marked, outputs: selectOutputs(given.outputs, request.outputs) }, request);
      if (given.logged !== null) await this.log(live, given.logged, timing);
      return answer;
    } catch (error) {
      this.answers.refused(live, error);
      throw error;
    }
  }

  /** What is to be logged must have a meaning before it is answered. */
  private async ask(group: Group, request: InferRequest, id: string, options: RunOptions, logs: boolean): Promise<GivenTensors> {
    const outputs = await group.version.infer(request.inputs, options);
    if (!logs) return { outputs, logged: null };
    const [all, instances] = rowsOf(group, request, id);
    return { outputs, logged: { group: all, instances, answer: { outputs: group.version.interpret(outputs, instances.length) } } };
  }

  /** Null: nobody answers in the version’s place. */
  private async askFallback(live: LiveRoute, group: Group, request: InferRequest, id: string, options: RunOptions, logs: boolean, failure: unknown): Promise<GivenTensors | null> {
    const given = await this.fallbacks.answerTensors(live, group.version, request.inputs, options, failure);
    if (given === null) return null;
    const { by: fallback, outputs } = given;
    if (!logs) return { outputs, fallback, logged: null };
    const [all, instances] = rowsOf(group, request, id);
    return { outputs, fallback, logged: { group: all, instances, answer: { outputs: given.version.interpret(outputs, instances.length), fallback, failure } } };
  }

  private log(live: LiveRoute, { group, instances, answer }: LoggedRows, timing: Timing): Promise<void> {
    return new Promise((resolve) => this.answers.record(live, instances, [group], [answer], timing, () => resolve()));
  }
}

interface GivenTensors {
  readonly outputs: Tensors;
  /** Who answered in place of the routed version; the answer says so in its parameters. */
  readonly fallback?: string;
  readonly logged: LoggedRows | null;
}

interface LoggedRows {
  readonly group: Group;
  readonly instances: readonly Instance[];
  readonly answer: GroupAnswer;
}

function rowsOf(group: Group, { inputs }: InferRequest, id: string): [Group, Instance[]] {
  const instances = instancesOf(group, inputs, id);
  return [{ ...group, indexes: instances.map((_, index) => index) }, instances];
}

function rawInputOf<T>(inputs: readonly T[]): T {
  const [first, second] = inputs;
  if (first === undefined || second !== undefined) throw new MillraceError('TENSOR_INVALID', `a raw binary request needs a model with one input; this one has ${inputs.length}`);
  return first;
}

function groupOf(live: LiveRoute, version: string | undefined, unit: string): Group {
  if (version !== undefined) return { arm: 'champion', version: versionOf(live, version), probability: 1, indexes: [] };
  const { arm, probability } = planRoute(live.route, unit);
  const chosen = live[arm];
  if (chosen === null) throw new MillraceError('MODEL_NOT_READY', `the ${arm} of ${live.route.model} is not loaded`);
  return { arm, version: chosen, probability, indexes: [] };
}

function instancesOf({ version }: Group, inputs: Tensors, id: string): Instance[] {
  const rows = version.tabular().layout.rowsOf(inputs);
  return rows.map((features, row) => ({ id: rows.length === 1 ? id : `${id}/${row}`, unit: id, features }));
}
