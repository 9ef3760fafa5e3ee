import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { MillraceError } from '@millrace/contracts';
import { decodeInferRequest, encodeInferResponse, planRoute, selectOutputs, type InferRequest } from '@millrace/core/inference';
import type { Tensors } from '@millrace/model-runtime';
import type { Instance } from './instance-judge.js';
import { ModelDirectory } from './model-directory.js';
import type { LiveRoute } from './route-book.js';
import { ServedAnswers, type Group, type Timing } from './served-answers.js';
import { versionOf } from './open-inference.controller.js';

/**
 * `POST /v2/models/{model}[/versions/{version}]/infer`. Without a version the route decides, sticky on the request’s id,
 * and a tabular model’s rows are logged like any prediction, under the record ids `{id}` (one row) or `{id}/{row}`.
 * Who names a version asks that version, outside of the split; such answers are no traffic and are not logged.
 */
@Injectable()
export class InferTensorsHandler {
  constructor(
    private readonly models: ModelDirectory,
    private readonly answers: ServedAnswers,
  ) {}

  /** @returns the JSON text of the answer. @throws MillraceError TENSOR_INVALID, MODEL_*, VERSION_UNKNOWN. */
  async handle(model: string, version: string | undefined, body: unknown, traceparent: string | undefined): Promise<string> {
    const startedMs = performance.now();
    const live = this.models.liveRoute(model);
    try {
      const request = decodeInferRequest(body);
      const id = request.id === undefined || request.id === '' ? randomUUID() : request.id;
      const group = groupOf(live, version, id);
      const outputs = await group.version.infer(request.inputs);
      const answer = encodeInferResponse({ modelName: model, modelVersion: group.version.version, id, outputs: selectOutputs(outputs, request.outputs) });
      if (version === undefined && group.version.isTabular) await this.log(live, group, request, id, outputs, { startedMs, traceparent });
      return answer;
    } catch (error) {
      this.answers.refused(live, error);
      throw error;
    }
  }

  private async log(live: LiveRoute, group: Group, { inputs }: InferRequest, id: string, outputs: Tensors, timing: Timing): Promise<void> {
    const instances = instancesOf(inputs, id);
    const indexes = instances.map((_, index) => index);
    await this.answers.record(live, instances, [{ ...group, indexes }], [group.version.interpret(outputs, instances.length)], timing);
  }
}

function groupOf(live: LiveRoute, version: string | undefined, unit: string): Group {
  if (version !== undefined) return { arm: 'champion', version: versionOf(live, version), probability: 1, indexes: [] };
  const { arm, probability } = planRoute(live.route, unit);
  const chosen = live[arm];
  if (chosen === null) throw new MillraceError('MODEL_NOT_READY', `the ${arm} of ${live.route.model} is not loaded`);
  return { arm, version: chosen, probability, indexes: [] };
}

/** Rows of feature columns [n, 1]; the inverse of what `toFeeds` of libs/core does. */
function instancesOf(inputs: Tensors, id: string): Instance[] {
  const columns = Object.entries(inputs);
  const rows = columns[0]?.[1].shape[0] ?? 0;
  return Array.from({ length: rows }, (_, row) => {
    const features: Record<string, number | string | null> = {};
    for (const [name, { data }] of columns) {
      const value = data[row];
      features[name] = typeof value === 'string' ? (value === '' ? null : value) : typeof value === 'number' && Number.isFinite(value) ? value : null;
    }
    return { id: rows === 1 ? id : `${id}/${row}`, unit: id, features };
  });
}
