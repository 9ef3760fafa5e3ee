import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { MillraceError, type PredictionOutput, type PredictionServed } from '@millrace/contracts';
import { planRoute } from '@millrace/core/inference';
import { gatewayMetrics } from './inference-gateway.metrics.js';
import type { Instance } from './instance-judge.js';
import { PredictionLog } from './prediction-log.js';
import type { LiveRoute } from './route-book.js';
import type { ServingVersion } from './serving-version.js';
import { ShadowRuns } from './shadow-runs.js';

/** Indexes of a request’s instances that one version answers. */
export interface Group {
  readonly arm: 'champion' | 'candidate';
  readonly version: ServingVersion;
  readonly probability: number;
  readonly indexes: number[];
}

export interface Timing {
  /** By performance.now(). */
  readonly startedMs: number;
  readonly traceparent: string | undefined;
}

/** Parts instances by the route’s sticky split: the same unit meets the same version on every replica. */
export function splitByRoute(live: LiveRoute, instances: readonly Instance[]): Group[] {
  const { route, champion, candidate } = live;
  if (candidate === null || route.candidate === null || route.candidate.share === 0) {
    return [{ arm: 'champion', version: champion, probability: 1, indexes: instances.map((_, index) => index) }];
  }
  const groups = new Map<string, Group>();
  instances.forEach(({ unit, id }, index) => {
    const { arm, probability } = planRoute(route, unit ?? id);
    const group = groups.get(arm);
    if (group === undefined) groups.set(arm, { arm, version: arm === 'candidate' ? candidate : champion, probability, indexes: [index] });
    else group.indexes.push(index);
  });
  return [...groups.values()];
}

/** What every transport does with answers before it gives them: log them, count them, and hand them to the shadow. */
@Injectable()
export class ServedAnswers {
  constructor(
    private readonly predictionLog: PredictionLog,
    private readonly shadowRuns: ShadowRuns,
    private readonly now: () => Date,
  ) {}

  /** Resolves, with the logged events in the order of the instances, once they are on disk (or counted as dropped). */
  record(live: LiveRoute, instances: readonly Instance[], groups: readonly Group[], outputs: readonly (readonly PredictionOutput[])[], { startedMs, traceparent }: Timing): Promise<PredictionServed[]> {
    const { model } = live.route;
    const servedAt = this.now().toISOString();
    const latencyMs = performance.now() - startedMs;
    const events = new Array<PredictionServed>(instances.length);
    groups.forEach((group, place) => {
      group.indexes.forEach((index, row) => {
        const instance = instances[index];
        const output = outputs[place]?.[row];
        if (instance === undefined || output === undefined) throw new MillraceError('MODEL_RUN_FAILED', `version ${group.version.version} gave no answer for row ${row}`);
        events[index] = served(live, group, instance, output, servedAt, latencyMs);
      });
      gatewayMetrics.predictions.inc({ model, version: group.version.version, role: 'primary', outcome: 'answered' }, group.indexes.length);
    });
    gatewayMetrics.seconds.observe({ model }, latencyMs / 1_000);
    return new Promise((resolve) => {
      this.predictionLog.append(events, traceparent, () => {
        resolve(events);
        if (live.route.candidate?.mirror === true) this.mirror(live, events, instances, traceparent);
      });
    });
  }

  refused(live: LiveRoute, error: unknown): void {
    const outcome = error instanceof MillraceError && error.httpStatus < 500 ? 'refused' : 'failed';
    gatewayMetrics.predictions.inc({ model: live.route.model, version: live.champion.version, role: 'primary', outcome });
  }

  /** The candidate sees, later and unanswered, what the champion has answered. */
  private mirror(live: LiveRoute, events: readonly PredictionServed[], instances: readonly Instance[], traceparent: string | undefined): void {
    const { candidate } = live;
    if (candidate === null) return;
    events.forEach((event, index) => {
      const features = instances[index]?.features;
      if (event.arm !== 'champion' || features === undefined) return;
      const { output: _output, latencyMs: _latencyMs, servedAt: _servedAt, ...rest } = event;
      const shadow = { predictionId: `${event.requestId}.shadow`, role: 'shadow', arm: 'candidate', version: candidate.version, features: candidate.logged(features) } as const;
      this.shadowRuns.offer({ version: candidate, features, traceparent, served: { ...rest, ...shadow } });
    });
  }
}

function served(live: LiveRoute, { arm, version, probability }: Group, instance: Instance, output: PredictionOutput, servedAt: string, latencyMs: number): PredictionServed {
  const requestId = randomUUID();
  return {
    model: live.route.model,
    recordId: instance.id,
    predictionId: requestId,
    requestId,
    version: version.version,
    role: 'primary',
    arm,
    unit: instance.unit ?? instance.id,
    eventTime: instance.eventTime ?? servedAt,
    routeRevision: live.route.revision,
    output,
    armProbability: probability,
    servedAt,
    features: version.logged(instance.features),
    latencyMs,
  };
}
