import { Injectable } from '@nestjs/common';
import { matches, MillraceError, mistakesOf, PredictRequest, type PredictionOutput } from '@millrace/contracts';
import { InstanceJudge, type Instance } from './instance-judge.js';
import { ModelDirectory } from './model-directory.js';
import { ServedAnswers, splitByRoute } from './served-answers.js';

type Prediction = PredictionOutput & { readonly id: string; readonly predictionId: string; readonly version: string };

/** `POST /v1/models/{model}/predict`: validates, splits, runs, logs, answers. */
@Injectable()
export class PredictInstancesHandler {
  constructor(
    private readonly models: ModelDirectory,
    private readonly answers: ServedAnswers,
  ) {}

  /** @throws MillraceError REQUEST_INVALID, FEATURE_*, MODEL_UNKNOWN, MODEL_NOT_READY, MODEL_OVERLOADED, MODEL_RUN_FAILED. */
  async handle(model: string, body: unknown, traceparent: string | undefined): Promise<{ model: string; predictions: Prediction[] }> {
    const startedMs = performance.now();
    const live = this.models.liveRoute(model);
    try {
      const instances = instancesOf(body);
      const groups = splitByRoute(live, instances);
      const judge = new InstanceJudge((name) => this.models.knowsFeature(model, live, name));
      for (const { version, indexes } of groups) for (const index of indexes) judge.look(version, at(instances, index), index);
      judge.verdict();
      // Submitted in this turn, so the versions of `live` cannot be closed before they have taken the rows.
      const runs = groups.map(({ version, indexes }) => version.predict(indexes.map((index) => at(instances, index).features)));
      const events = await this.answers.record(live, instances, groups, await Promise.all(runs), { startedMs, traceparent });
      return { model, predictions: events.map(({ recordId, predictionId, version, output }) => ({ id: recordId, predictionId, version, ...output })) };
    } catch (error) {
      this.answers.refused(live, error);
      throw error;
    }
  }
}

function at(instances: readonly Instance[], index: number): Instance {
  const instance = instances[index];
  if (instance === undefined) throw new RangeError(`there is no instance ${index}`);
  return instance;
}

/** @throws MillraceError REQUEST_INVALID with every mistake. */
function instancesOf(body: unknown): readonly Instance[] {
  if (matches(PredictRequest, body)) return body.instances;
  const mistakes = mistakesOf(PredictRequest, body);
  const list = mistakes.map(({ path, message }) => `${path}: ${message}`).join('; ');
  throw new MillraceError('REQUEST_INVALID', `the request has ${mistakes.length} mistake${mistakes.length === 1 ? '' : 's'}: ${list}`, { mistakes });
}
