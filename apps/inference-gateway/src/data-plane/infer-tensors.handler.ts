import { randomUUID } from 'node:crypto';
import { MillraceError, type PredictionOutput } from '@millrace/contracts';
import { decodeInferRequest, encodeInferResponse, planRoute, selectOutputs, type EncodedMessage, type InferRequest } from '@millrace/core/inference';
import type { RunOptions, Tensors } from '@millrace/model-runtime';
import { deadlineOf } from './deadline.js';
import type { Fallbacks } from './fallbacks.js';
import type { Instance } from './instance-judge.js';
import { versionOf, type ModelDirectory } from './model-directory.js';
import type { LiveRoute } from './route-book.js';
import type { Group, ServedAnswers, Timing } from './served-answers.js';
import type { ServingVersion } from './serving-version.js';

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
      const options = deadlineOf(group.version, startedMs, timeoutUs === undefined ? undefined : timeoutUs / 1_000, priority);
      const asked: Asked = { live, group, request, id, options, isTraffic: version === undefined, isLogged: version === undefined && group.version.isTabular, timing: { startedMs, traceparent } };
      let given: GivenTensors;
      try {
        const outputs = await group.version.infer(request.inputs, options);
        given = { outputs, predictions: this.meaningOf(asked, group.version, outputs) };
      } catch (error) {
        given = await this.instead(asked, error);
      }
      const marked = given.fallback === undefined ? undefined : { fallback: given.fallback };
      const answer = encodeInferResponse({ modelName: model, modelVersion: group.version.version, id, parameters: marked, outputs: selectOutputs(given.outputs, request.outputs) }, request);
      if (asked.isLogged) await new Promise<void>((resolve) => this.record(asked, given, resolve));
      return answer;
    } catch (error) {
      this.answers.refused(live, error);
      throw error;
    }
  }

  /** What is to be logged must have a meaning before it is answered. */
  private meaningOf({ request, isLogged }: Asked, version: ServingVersion, outputs: Tensors): readonly PredictionOutput[] {
    return isLogged && this.answers.keeps ? version.interpret(outputs, rowCountOf(version, request)) : [];
  }

  /** Who answers in place of a version that has failed. @throws the failure when nobody does. */
  private async instead(asked: Asked, failure: unknown): Promise<GivenTensors> {
    const { live, group, request, id, options, isTraffic, isLogged, timing } = asked;
    if (!isTraffic) throw failure;
    const given = await this.fallbacks.answerTensors(live, group.version, request.inputs, options, failure);
    if (given !== null) return { outputs: given.outputs, predictions: this.meaningOf(asked, given.version, given.outputs), fallback: given.by, failure };
    if (isLogged) await this.answers.failed(live, ...rowsOf(group, request, id), failure, timing);
    throw this.fallbacks.failureOf(live, failure);
  }

  private record({ live, group, request, id, timing }: Asked, { predictions, fallback, failure }: GivenTensors, done: () => void): void {
    if (!this.answers.keeps || (fallback === undefined && !this.answers.needsInstances(live))) {
      this.answers.recordRows(live, group, { id, inputs: request.inputs, rows: rowCountOf(group.version, request), outputs: predictions }, timing, done);
      return;
    }
    const [all, instances] = rowsOf(group, request, id);
    this.answers.record(live, instances, [all], [{ outputs: predictions, fallback, failure }], timing, done);
  }
}

/** One request on its way. */
interface Asked {
  readonly live: LiveRoute;
  readonly group: Group;
  readonly request: InferRequest;
  readonly id: string;
  readonly options: RunOptions;
  /** The route decides who answers. */
  readonly isTraffic: boolean;
  readonly isLogged: boolean;
  readonly timing: Timing;
}

interface GivenTensors {
  readonly outputs: Tensors;
  /** What the outputs mean, one per row; empty where nobody asks. */
  readonly predictions: readonly PredictionOutput[];
  /** Who answered in place of the routed version, which has failed; the answer says so in its parameters. */
  readonly fallback?: string;
  readonly failure?: unknown;
}

const rowCountOf = (version: ServingVersion, { inputs }: InferRequest): number => version.tabular().layout.rowCountOf(inputs);

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
  const { arm, primary, probability } = planRoute(live.route, unit);
  const chosen = live.versions.get(primary.version);
  if (chosen === undefined) throw new MillraceError('MODEL_NOT_READY', `the ${arm} of ${live.route.model} is not loaded`);
  return { arm, version: chosen, probability, indexes: [] };
}

function instancesOf({ version }: Group, inputs: Tensors, id: string): Instance[] {
  const rows = version.tabular().layout.rowsOf(inputs);
  return rows.map((features, row) => ({ id: rows.length === 1 ? id : `${id}/${row}`, unit: id, features }));
}
