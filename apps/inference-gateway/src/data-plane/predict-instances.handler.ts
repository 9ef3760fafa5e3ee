import { randomUUID } from 'node:crypto';
import { matches, mistakesOf, PredictRequest, refusal } from '@millrace/contracts';
import type { RunOptions } from '@millrace/model-runtime';
import type { Fallbacks } from './fallbacks.js';
import { InstanceJudge, type Instance } from './instance-judge.js';
import type { ModelDirectory } from './model-directory.js';
import { deadlineOf } from './deadline.js';
import type { LiveRoute } from './route-book.js';
import { splitByRoute, type Answer, type Group, type GroupAnswer, type ServedAnswers, type Timing } from './served-answers.js';

/** `POST /v1/models/{model}/predict`: validates, splits, runs, logs, answers. */
export class PredictInstancesHandler {
  constructor(
    private readonly models: ModelDirectory,
    private readonly answers: ServedAnswers,
    private readonly fallbacks: Fallbacks,
  ) {}

  /**
   * Resolves with the JSON text of the answer.
   * @throws MillraceError REQUEST_INVALID, FEATURE_*, MODEL_*, DEADLINE_EXCEEDED.
   */
  async handle(model: string, body: unknown, traceparent: string | undefined): Promise<string> {
    const startedMs = performance.now();
    const live = this.models.liveRoute(model);
    try {
      const { instances, timeoutMs } = requestOf(body);
      const groups = splitByRoute(live, instances);
      const judge = new InstanceJudge((name) => this.models.knowsFeature(model, live, name));
      for (const { version, indexes } of groups) for (const index of indexes) judge.look(version, at(instances, index), index);
      judge.verdict();
      // Submitted in this turn, so the versions of `live` cannot be closed before they have taken the rows.
      const runs = groups.map((group) => this.ask(live, group, instances, deadlineOf(group.version, startedMs, timeoutMs), { startedMs, traceparent }));
      const outputs = await Promise.all(runs);
      return await new Promise((resolve) => {
        this.answers.record(live, instances, groups, outputs, { startedMs, traceparent }, (answers) => resolve(textOf(model, answers)));
      });
    } catch (error) {
      this.answers.refused(live, error);
      throw error;
    }
  }

  private async ask(live: LiveRoute, group: Group, instances: readonly Instance[], options: RunOptions, timing: Timing): Promise<GroupAnswer> {
    const { version, indexes } = group;
    const rows = indexes.map((index) => at(instances, index).features);
    try {
      return { outputs: await version.predict(rows, options) };
    } catch (error) {
      const answer = await this.fallbacks.answer(live, version, rows, options, error);
      if (answer !== null) return { outputs: answer.outputs, fallback: answer.by, failure: error };
      await this.answers.failed(live, group, instances, error, timing);
      throw error;
    }
  }
}

function textOf(model: string, answers: readonly Answer[]): string {
  return JSON.stringify({ model, predictions: answers.map(({ id, predictionId, version, output, fallback }) => ({ id, predictionId, version, ...(fallback === undefined ? {} : { fallback }), ...output })) });
}

function at(instances: readonly Instance[], index: number): Instance {
  const instance = instances[index];
  if (instance === undefined) throw new RangeError(`there is no instance ${index}`);
  return instance;
}

/** Instances without an id are given one. @throws MillraceError REQUEST_INVALID with every mistake. */
function requestOf(body: unknown): { readonly instances: readonly Instance[]; readonly timeoutMs?: number } {
  if (matches(PredictRequest, body)) {
    return { ...body, instances: body.instances.map((instance) => (instance.id === undefined ? { ...instance, id: randomUUID() } : (instance as Instance))) };
  }
  throw refusal('REQUEST_INVALID', 'the request', mistakesOf(PredictRequest, body));
}
