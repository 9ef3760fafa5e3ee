import { randomUUID } from 'node:crypto';
import { MillraceError, type PredictionOutput, type PredictionServed } from '@millrace/contracts';
import { planRoute, positionOf, type Tensors } from '@millrace/core/inference';
import { failedPredictions, isVersionFailure } from './failed-answers.js';
import { gatewayMetrics } from '../inference-gateway.metrics.js';
import type { AnswerLog } from './answer-log.js';
import type { Instance } from './instance-judge.js';
import type { LiveRoute } from './route-book.js';
import { givenFeatures, servedJson } from './served-json.js';
import type { ServingVersion } from './serving-version.js';
import type { ShadowRuns } from './shadow-runs.js';
import type { ExplainedAnswers } from '../explanation/explained-answers.js';

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

/** One request of tensors that a version with named features has answered. */
export interface TensorRows {
  /** Its rows are `{id}`, or `{id}/{row}` when there are several. */
  readonly id: string;
  readonly inputs: Tensors;
  readonly rows: number;
  /** What each row was answered; nothing is made of it where nothing is kept. */
  readonly outputs: readonly PredictionOutput[];
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
  const { route, champion, candidates, versions } = live;
  if (candidates.every(({ share }) => share === 0)) {
    return [{ arm: 'champion', version: champion, probability: 1, indexes: instances.map((_, index) => index) }];
  }
  const groups = new Map<string, Group>();
  instances.forEach(({ unit, id }, index) => {
    const { arm, primary, probability } = planRoute(route, unit ?? id);
    const group = groups.get(primary.version);
    if (group === undefined) groups.set(primary.version, { arm, version: versions.get(primary.version) ?? champion, probability, indexes: [index] });
    else group.indexes.push(index);
  });
  return [...groups.values()];
}

/** A share of the requests, drawn by their ids and by nothing that a model could know. */
const isRepeated = (requestId: string, share = 0): boolean => share > 0 && positionOf('asked again', requestId) < share;

/** Statuses below 500 are the caller’s; of ours, `shed` was refused at once, and never taken on. */
function outcomeOf(error: unknown): 'refused' | 'shed' | 'failed' {
  if (!(error instanceof MillraceError)) return 'failed';
  if (error.httpStatus < 500) return 'refused';
  return isVersionFailure(error) ? 'failed' : 'shed';
}

/** What every transport does with answers before it gives them: log them, count them, and hand them to the shadow and to whoever explains. */
export class ServedAnswers {
  private instantMs = NaN;
  private instantText = '';

  constructor(
    private readonly answerLog: AnswerLog,
    private readonly shadowRuns: ShadowRuns | null,
    private readonly now: () => Date,
    private readonly explained: ExplainedAnswers | null = null,
  ) {}

  /** Calls `done`, with the answers in the order of the instances, once they are on disk (or counted as dropped). */
  record(live: LiveRoute, instances: readonly Instance[], groups: readonly Group[], answered: readonly GroupAnswer[], { startedMs, traceparent }: Timing, done: (answers: readonly Answer[]) => void): void {
    const latencyMs = measuredMs(live, startedMs);
    const answers = answersOf(instances, groups, answered);
    for (const group of groups) countAnswered(live, group, group.indexes.length);
    if (!this.keeps) {
      done(answers);
      return;
    }
    const mirrors = mirroring(live);
    const servedAt = this.instant();
    if (!mirrors && answered.every(({ failure }) => failure === undefined)) {
      this.appendJson(live, instances, groups, answers, latencyMs, servedAt, traceparent);
      this.answerLog.whenKept(() => {
        done(answers);
        this.explain(live, instances, groups, answers, servedAt, traceparent);
      });
      return;
    }
    const events = this.eventsOf(live, instances, groups, answers, latencyMs, servedAt);
    groups.forEach((group, place) => {
      const given = answered[place];
      if (given?.failure !== undefined) this.answerLog.fail(failedPredictions(live, group, instances, given.failure, { servedAt, latencyMs }, (index) => events[index]?.requestId), traceparent);
    });
    this.answerLog.append(events, traceparent, () => {
      done(answers);
      if (mirrors) this.mirror(live, events, instances, traceparent);
      this.explain(live, instances, groups, answers, servedAt, traceparent);
    });
  }

  /** An answer that was given some other way than by `record`. */
  offer(version: ServingVersion, { model, recordId, predictionId, eventTime }: PredictionServed, features: Instance['features']): void {
    this.explained?.offer(version, { model, recordId, predictionId, eventTime }, features, undefined);
  }

  /** What a fallback answered is not the version’s to explain. */
  private explain({ route: { model } }: LiveRoute, instances: readonly Instance[], groups: readonly Group[], answers: readonly Answer[], servedAt: string, traceparent: string | undefined): void {
    if (this.explained?.watches(model) !== true) return;
    for (const { version, indexes } of groups) {
      for (const index of indexes) {
        const [instance, answer] = [instances[index], answers[index]];
        if (instance === undefined || answer === undefined || answer.fallback !== undefined) continue;
        this.explained.offer(version, { model, recordId: answer.id, predictionId: answer.predictionId, eventTime: instance.eventTime ?? servedAt }, instance.features, traceparent);
      }
    }
  }

  /** Whether what answers mean is asked for. */
  get keeps(): boolean {
    return this.answerLog.keeps;
  }

  /** Whether the answers to a request of tensors go on as instances: another version is shown them, or whoever explains. */
  needsInstances(live: LiveRoute): boolean {
    return mirroring(live) || this.explained?.watches(live.route.model) === true;
  }

  /** As `record`, where the group’s version has answered itself and nobody needs instances: none are made. */
  recordRows(live: LiveRoute, group: Group, { id, inputs, rows, outputs }: TensorRows, { startedMs, traceparent }: Timing, done: () => void): void {
    const latencyMs = measuredMs(live, startedMs);
    countAnswered(live, group, rows);
    const { layout } = group.version;
    if (!this.keeps || layout === null) return done();
    const servedAt = this.instant();
    outputs.forEach((output, row) => {
      const told = { id: rows === 1 ? id : `${id}/${row}`, unit: id, predictionId: randomUUID(), output, servedAt, latencyMs };
      const json = servedJson(live, group, told, (to) => layout.writeRow(to, inputs, row));
      this.answerLog.appendJson({ recordId: told.id, predictionId: told.predictionId, servedAt, json }, traceparent);
    });
    this.answerLog.whenKept(done);
  }

  refused(live: LiveRoute, error: unknown): void {
    gatewayMetrics.predictions.inc({ model: live.route.model, version: live.champion.version, role: 'primary', outcome: outcomeOf(error) });
  }

  /**
   * A group’s version was asked and nobody has answered: logged, unless it was no failure of the version. Resolves when that is
   * on disk. @param attempt of a stream’s request: how often it has failed.
   */
  async failed(live: LiveRoute, group: Group, instances: readonly Instance[], error: unknown, { startedMs, traceparent }: Timing, attempt?: number): Promise<void> {
    if (!this.keeps || !isVersionFailure(error)) return;
    const at = { servedAt: this.now().toISOString(), latencyMs: performance.now() - startedMs, ...(attempt === undefined ? {} : { attempt }) };
    await new Promise<void>((resolve) => this.answerLog.fail(failedPredictions(live, group, instances, error, at), traceparent, resolve));
  }

  private appendJson(live: LiveRoute, instances: readonly Instance[], groups: readonly Group[], answers: readonly Answer[], latencyMs: number, servedAt: string, traceparent: string | undefined): void {
    for (const group of groups) {
      for (const index of group.indexes) {
        const [instance, answer] = [instances[index], answers[index]];
        if (instance === undefined || answer === undefined) continue;
        const { id, unit, eventTime } = instance;
        const { predictionId, output, fallback } = answer;
        const json = servedJson(live, group, { id, unit, eventTime, predictionId, output, fallback, servedAt, latencyMs }, givenFeatures(group.version, instance));
        this.answerLog.appendJson({ recordId: id, predictionId, servedAt, json }, traceparent);
      }
    }
  }

  /** Now, as text; made once a millisecond. */
  private instant(): string {
    const ms = this.now().getTime();
    if (ms !== this.instantMs) [this.instantMs, this.instantText] = [ms, new Date(ms).toISOString()];
    return this.instantText;
  }

  private eventsOf(live: LiveRoute, instances: readonly Instance[], groups: readonly Group[], answers: readonly Answer[], latencyMs: number, servedAt: string): PredictionServed[] {
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
  private mirror({ route, champion, candidates }: LiveRoute, events: readonly PredictionServed[], instances: readonly Instance[], traceparent: string | undefined): void {
    candidates.filter(({ mirror }) => mirror).forEach(({ version, share }, place) => {
      const [answering, arm, watching] = share === 1 ? (['candidate', 'champion', champion] as const) : (['champion', 'candidate', version] as const);
      events.forEach((event, index) => {
        const features = instances[index]?.features;
        if (event.arm !== answering || features === undefined || event.fallback !== undefined) return;
        const { output: answered, latencyMs: _latencyMs, servedAt: _servedAt, ...rest } = event;
        const predictionId = `${event.requestId}.shadow${place === 0 ? '' : `-${place + 1}`}`;
        const shadow = { predictionId, role: 'shadow', arm, version: watching.version, features: watching.logged(features) } as const;
        const repeat = arm === 'candidate' && isRepeated(event.requestId, route.repeatShare) ? { repeat: { version: champion, answered } } : {};
        this.shadowRuns?.offer({ version: watching, features, traceparent, served: { ...rest, ...shadow }, ...repeat });
      });
    });
  }
}

/** @returns the time that the answers took. */
function measuredMs({ route: { model } }: LiveRoute, startedMs: number): number {
  const latencyMs = performance.now() - startedMs;
  gatewayMetrics.seconds.observe({ model }, latencyMs / 1_000);
  return latencyMs;
}

function countAnswered({ route: { model } }: LiveRoute, { version: { version } }: Group, rows: number): void {
  gatewayMetrics.predictions.inc({ model, version, role: 'primary', outcome: 'answered' }, rows);
}

const mirroring = ({ candidates }: LiveRoute): boolean => candidates.some(({ mirror }) => mirror);

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
