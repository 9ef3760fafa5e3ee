import { randomUUID } from 'node:crypto';
import { MillraceError } from '@millrace/contracts';
import { decodeInferRequest, encodeInferResponse, planRoute, selectOutputs, type EncodedMessage, type InferRequest } from '@millrace/core/inference';
import type { Tensors } from '@millrace/model-runtime';
import { deadlineOf } from './deadline.js';
import type { Instance } from './instance-judge.js';
import { versionOf, type ModelDirectory } from './model-directory.js';
import type { LiveRoute } from './route-book.js';
import type { Group, ServedAnswers, Timing } from './served-answers.js';

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
      const outputs = await group.version.infer(request.inputs, deadlineOf(group.version, startedMs, timeoutUs === undefined ? undefined : timeoutUs / 1_000, priority));
      const answer = encodeInferResponse({ modelName: model, modelVersion: group.version.version, id, outputs: selectOutputs(outputs, request.outputs) }, request);
      if (version === undefined && group.version.isTabular) await this.log(live, group, request, id, outputs, { startedMs, traceparent });
      return answer;
    } catch (error) {
      this.answers.refused(live, error);
      throw error;
    }
  }

  private log(live: LiveRoute, group: Group, { inputs }: InferRequest, id: string, outputs: Tensors, timing: Timing): Promise<void> {
    const instances = instancesOf(group, inputs, id);
    const indexes = instances.map((_, index) => index);
    const interpreted = group.version.interpret(outputs, instances.length);
    return new Promise((resolve) => this.answers.record(live, instances, [{ ...group, indexes }], [{ outputs: interpreted }], timing, () => resolve()));
  }
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
