import { ExplainRequest, matches, MillraceError, mistakesOf, refusal } from '@millrace/contracts';
import type { Features } from '@millrace/core/inference';
import type { Explanations } from '../explanation/explanations.js';
import { gatewayMetrics } from '../inference-gateway.metrics.js';
import { InstanceJudge } from './instance-judge.js';
import { versionOf, type ModelDirectory } from './model-directory.js';

const timeoutMsDefault = 30_000;

/** `POST /v1/models/{model}/explain`: validates as a prediction is, and has the rows explained beside the answer path. */
export class ExplainInstancesHandler {
  constructor(
    private readonly models: ModelDirectory,
    private readonly explanations: Explanations,
  ) {}

  /**
   * @returns the answer, as JSON.
   * @throws MillraceError REQUEST_INVALID, FEATURE_*, MODEL_*, VERSION_UNKNOWN, EXPLANATION_*, DEADLINE_EXCEEDED.
   */
  async handle(model: string, body: unknown): Promise<Uint8Array> {
    const startedMs = performance.now();
    const live = this.models.liveRoute(model);
    const { instances, class: target, version: named, background, timeoutMs = timeoutMsDefault } = requestOf(body);
    const version = versionOf(live, named);
    if (!version.isTabular) throw new MillraceError('EXPLANATION_UNAVAILABLE', `version ${version.version} takes no named features, so that there is nothing to give contributions to`);
    for (const [place, given] of [['instances', instances], ['background', background ?? []]] as const) {
      const judge = new InstanceJudge((name) => this.models.knowsFeature(model, live, name), place);
      given.forEach(({ features }, index) => judge.look(version, { features }, index));
      judge.verdict();
    }
    try {
      const answer = await this.explanations.explain({ model, version, rows: featuresOf(instances), target, background: background === undefined ? undefined : featuresOf(background), deadlineMs: startedMs + timeoutMs });
      gatewayMetrics.explanations.inc({ model, version: version.version, outcome: 'explained' }, instances.length);
      return answer;
    } catch (error) {
      gatewayMetrics.explanations.inc({ model, version: version.version, outcome: error instanceof MillraceError && error.httpStatus < 500 ? 'refused' : 'failed' }, instances.length);
      throw error;
    }
  }
}

const featuresOf = (given: readonly { readonly features: Features }[]): Features[] => given.map(({ features }) => features);

/** @throws MillraceError REQUEST_INVALID with every mistake. */
function requestOf(body: unknown): ExplainRequest {
  if (matches(ExplainRequest, body)) return body;
  throw refusal('REQUEST_INVALID', 'the request', mistakesOf(ExplainRequest, body));
}
