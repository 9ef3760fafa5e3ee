import { randomUUID } from 'node:crypto';
import { MillraceError, type PredictionOutput, type PredictionServed } from '@millrace/contracts';
import { planRoute } from '@millrace/core/inference';
import { failedPredictions, isVersionFailure } from './failed-answers.js';
import { gatewayMetrics } from '../inference-gateway.metrics.js';
import type { AnswerLog, ServedText } from './answer-log.js';
import type { Instance } from './instance-judge.js';
import type { LiveRoute } from './route-book.js';
import { servedText } from './served-text.js';
import type { ServingVersion } from './serving-version.js';
import type { ShadowRuns } from './shadow-runs.js';

/** Indexes of a request’s instances that one version answers. */
export interface Group {
  readonly arm: 'champion' | 'candidate';
  readonly version: ServingVersion;
  readonly probability: number;
  readonly indexes: number[];
}

/** What a group was answered: one output per index. `fallback` names who answered in place of the group’s version, whose failure is `failure`. */
export interface GroupAnswer {
  readonly outputs: readonly PredictionOutput[];
  readonly fallback?: string;
  readonly failure?: unknown;
}

export interface Timing {
  /** By performance.now(). */
  readonly startedMs: number;
  readonly traceparent: string | undefined;
}

/** What a caller is told of one answer. */
export interface Answer {
  readonly id: string;
  readonly predictionId: string;
  readonly version: string;
  readonly output: PredictionOutput;
  readonly fallback?: string;
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

/** Statuses below 500 are the caller’s; of ours, `shed` was refused at once, and never taken on. */
function outcomeOf(error: unknown): 'refused' | 'shed' | 'failed' {
  if (!(error instanceof MillraceError)) return 'failed';
  if (error.httpStatus < 500) return 'refused';
  return isVersionFailure(error) ? 'failed' : 'shed';
}

/** What every transport does with answers before it gives them: log them, count them, and hand them to the shadow. */
export class ServedAnswers {
  private instantMs = NaN;
  private instantText = '';

  constructor(
    private readonly answerLog: AnswerLog,
    private readonly shadowRuns: ShadowRuns | null,
    private readonly now: () => Date,
  ) {}

  /** Calls `done`, with the answers in the order of the instances, once they are on disk (or counted as dropped). */
  record(live: LiveRoute, instances: readonly Instance[], groups: readonly Group[], answered: readonly GroupAnswer[], { startedMs, traceparent }: Timing, done: (answers: readonly Answer[]) => void): void {
    const { model } = live.route;
    const latencyMs = performance.now() - startedMs;
    gatewayMetrics.seconds.observe({ model }, latencyMs / 1_000);
    const answers = answersOf(instances, groups, answered);
    for (const group of groups) gatewayMetrics.predictions.inc({ model, version: group.version.version, role: 'primary', outcome: 'answered' }, group.indexes.length);
    if (!this.answerLog.keeps) {
      done(answers);
      return;
    }
    const mirrors = live.route.candidate?.mirror === true;
    if (!mirrors && answered.every(({ failure }) => failure === undefined)) {
      this.answerLog.appendTexts(this.textsOf(live, instances, groups, answers, latencyMs), traceparent, () => done(answers));
      return;
    }
    const events = this.eventsOf(live, instances, groups, answers, latencyMs);
    groups.forEach((group, place) => {
      const given = answered[place];
      if (given?.failure !== undefined) this.answerLog.fail(failedPredictions(live, group, instances, given.failure, { servedAt: this.now().toISOString(), latencyMs }, (index) => events[index]?.requestId), traceparent);
    });
    this.answerLog.append(events, traceparent, () => {
      done(answers);
      if (mirrors) this.mirror(live, events, instances, traceparent);
    });
  }

  refused(live: LiveRoute, error: unknown): void {
    gatewayMetrics.predictions.inc({ model: live.route.model, version: live.champion.version, role: 'primary', outcome: outcomeOf(error) });
  }

  /**
   * A group’s version was asked and nobody has answered: logged, unless it was no failure of the version. Resolves when that is
   * on disk. @param attempt of a record that is tried until it is answered.
   */
  async failed(live: LiveRoute, group: Group, instances: readonly Instance[], error: unknown, { startedMs, traceparent }: Timing, attempt?: number): Promise<void> {
    if (!this.answerLog.keeps || !isVersionFailure(error)) return;
    const at = { servedAt: this.now().toISOString(), latencyMs: performance.now() - startedMs, ...(attempt === undefined ? {} : { attempt }) };
    await new Promise<void>((resolve) => this.answerLog.fail(failedPredictions(live, group, instances, error, at), traceparent, resolve));
  }

  private textsOf(live: LiveRoute, instances: readonly Instance[], groups: readonly Group[], answers: readonly Answer[], latencyMs: number): ServedText[] {
    const servedAt = this.instant();
    const texts = new Array<ServedText>(instances.length);
    for (const group of groups) {
      for (const index of group.indexes) {
        const [instance, answer] = [instances[index], answers[index]];
        if (instance !== undefined && answer !== undefined) texts[index] = servedText(live, group, instance, answer, servedAt, latencyMs);
      }
    }
    return texts;
  }

  /** Now, as text; made once a millisecond. */
  private instant(): string {
    const ms = this.now().getTime();
    if (ms !== this.instantMs) [this.instantMs, this.instantText] = [ms, new Date(ms).toISOString()];
    return this.instantText;
  }

  private eventsOf(live: LiveRoute, instances: readonly Instance[], groups: readonly Group[], answers: readonly Answer[], latencyMs: number): PredictionServed[] {
    const servedAt = this.now().toISOString();
    const events = new Array<PredictionServed>(instances.length);
    for (const group of groups) {
      for (const index of group.indexes) {
        const [instance, answer] = [instances[index], answers[index]];
        if (instance !== undefined && answer !== undefined) events[index] = served(live, group, instance, answer, servedAt, latencyMs);
      }
    }
    return events;
  }

  /** The version that does not answer sees, later and unheard, what the other has answered. */
  private mirror(live: LiveRoute, events: readonly PredictionServed[], instances: readonly Instance[], traceparent: string | undefined): void {
    const { candidate, champion } = live;
    if (candidate === null) return;
    const [answering, arm, watching] = live.route.candidate?.share === 1 ? (['candidate', 'champion', champion] as const) : (['champion', 'candidate', candidate] as const);
    events.forEach((event, index) => {
      const features = instances[index]?.features;
      if (event.arm !== answering || features === undefined || event.fallback !== undefined) return;
      const { output: _output, latencyMs: _latencyMs, servedAt: _servedAt, ...rest } = event;
      const shadow = { predictionId: `${event.requestId}.shadow`, role: 'shadow', arm, version: watching.version, features: watching.logged(features) } as const;
      this.shadowRuns?.offer({ version: watching, features, traceparent, served: { ...rest, ...shadow } });
    });
  }
}

function answersOf(instances: readonly Instance[], groups: readonly Group[], answered: readonly GroupAnswer[]): Answer[] {
  const answers = new Array<Answer>(instances.length);
  groups.forEach(({ version: { version }, indexes }, place) => {
    const given = answered[place];
    const by = given?.fallback === undefined ? {} : { fallback: given.fallback };
    indexes.forEach((index, row) => {
      const [instance, output] = [instances[index], given?.outputs[row]];
      if (instance === undefined || output === undefined) throw new MillraceError('MODEL_RUN_FAILED', `version ${version} gave no answer for row ${row}`);
      answers[index] = { id: instance.id, predictionId: randomUUID(), version, output, ...by };
    });
  });
  return answers;
}

function served(live: LiveRoute, { arm, version, probability }: Group, instance: Instance, answer: Answer, servedAt: string, latencyMs: number): PredictionServed {
  return {
    model: live.route.model,
    recordId: instance.id,
    predictionId: answer.predictionId,
    requestId: answer.predictionId,
    version: version.version,
    role: 'primary',
    arm,
    unit: instance.unit ?? instance.id,
    eventTime: instance.eventTime ?? servedAt,
    routeRevision: live.route.revision,
    output: answer.output,
    ...(answer.fallback === undefined ? {} : { fallback: answer.fallback }),
    armProbability: probability,
    servedAt,
    features: version.logged(instance.features),
    latencyMs,
  };
}
