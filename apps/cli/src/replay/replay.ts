import { existsSync } from 'node:fs';
import { MillraceError, readModelSpec, type ModelSpec, type SpecChanged } from '@millrace/contracts';
import { armDecisions, counterfactualValue, judgeReplay, type ArmDecision, type CounterfactualValue, type ReplayedPair, type ReplayJudgement, type ReplayPlan } from '@millrace/core/rollout';
import { lossOf } from '@millrace/core/statistics';
import { openArchive, type Archive } from '../archive/archive-segments.js';
import { openModel, type OpenModel } from '../scoring/open-model.js';
import { call } from '../services.js';
import { openLog, type EventLog } from '../verification/open-log.js';
import { askModel, type Answer } from './ask-model.js';
import { pastFromArchive } from './past-from-archive.js';
import { pastFromLog } from './past-from-log.js';
import type { Past, PastQuestion, PastRow } from './past-row.js';

export interface ReplayQuestion {
  /** Default: what stands before the @ of the candidate. */
  readonly model?: string;
  /** A path, or `model@version|alias`. */
  readonly candidate: string;
  /** As the candidate; default: whichever was champion then, or, in the archive, is now. */
  readonly champion?: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly source: 'auto' | 'log' | 'archive';
  /** Default: as the spec's roll-out has it. */
  readonly margin?: number;
  readonly alpha: number;
  /** Default: as the spec's roll-out has them. */
  readonly slices?: readonly string[];
  readonly rowsMax: number;
}

/** Where the past lies. */
export interface Pasts {
  log(): Promise<EventLog>;
  archive(): Promise<Archive>;
}

export const pastsOfTheRing: Pasts = { log: openLog, archive: openArchive };

export interface JudgedPair extends ReplayedPair {
  readonly row: PastRow;
}

export interface ReplayReport extends ReplayJudgement {
  readonly model: string;
  readonly candidate: string;
  /** Who the champion was, with the records that each answered then or was asked now. */
  readonly champions: Readonly<Record<string, number>>;
  readonly from: string;
  readonly to: string;
  readonly source: Past['source'];
  /** Why the archive was read though the log was meant to be. */
  readonly because: string | null;
  readonly specRevision: number;
  readonly plan: ReplayPlan;
  readonly records: number;
  readonly leftOut: Readonly<Record<string, number>>;
  readonly offsets: Past['read'];
  /** What the log tells of the candidate by the answers that it gave itself; null for the archive, which knows no answers. */
  readonly value: CounterfactualValue | null;
}

const slicesMax = 50;
const versionIn = ({ name }: OpenModel): string => name.split('@').at(-1) ?? name;
const shownName = (reference: string, open: OpenModel): string => (existsSync(reference) ? reference : open.name);

class Replay {
  private readonly leftOut = new Map<string, number>();
  private readonly champions = new Map<string, number>();
  private firstMistake: string | null = null;

  constructor(
    private readonly question: ReplayQuestion,
    private readonly model: string,
    private readonly spec: SpecChanged,
    private readonly rules: ModelSpec['spec'],
    private readonly candidate: OpenModel,
    private champion: OpenModel | null,
    private readonly pasts: Pasts,
  ) {}

  private leaveOut(why: string, n = 1): void {
    this.leftOut.set(why, (this.leftOut.get(why) ?? 0) + n);
  }

  private pastQuestion(): PastQuestion {
    const { champion, fromMs, toMs, rowsMax } = this.question;
    // A file has no version under which the log would know its answers.
    return { model: this.model, fromMs, toMs, rowsMax, championVersion: champion === undefined || this.champion === null ? null : versionIn(this.champion) };
  }

  private async fromArchive(): Promise<Past> {
    this.champion ??= await openModel(`${this.model}@champion`);
    const features = new Map([...this.champion.layout.features, ...this.candidate.layout.features].map((feature) => [feature.name, feature]));
    for (const name of this.sliceFields()) if (!features.has(name)) features.set(name, { name, type: 'category' });
    const archive = await this.pasts.archive();
    return pastFromArchive(archive, this.pastQuestion(), this.rules, [...features.values()]).finally(() => archive.close());
  }

  private async fromLog(): Promise<Past> {
    const log = await this.pasts.log();
    return pastFromLog(log, this.pastQuestion()).finally(() => log.close());
  }

  private async past(): Promise<{ past: Past; because: string | null }> {
    if (this.question.source === 'archive') return { past: await this.fromArchive(), because: null };
    try {
      return { past: await this.fromLog(), because: null };
    } catch (error) {
      if (this.question.source === 'log' || !(error instanceof MillraceError) || error.code !== 'OFFSETS_UNAVAILABLE') throw error;
      return { past: await this.fromArchive(), because: error.message };
    }
  }

  private sliceFields(): readonly string[] {
    return this.question.slices ?? this.rules.rollout.slices;
  }

  private plan(): ReplayPlan {
    const { lossMargin, lossBound } = this.rules.rollout;
    return { lossBound, margin: this.question.margin ?? lossMargin, alpha: this.question.alpha, effect: null, sliceFields: this.sliceFields() };
  }

  private loss(said: Answer | PastRow['champion'], { label }: PastRow): number | null {
    const loss = said === null ? null : lossOf(this.rules.task, said, label);
    return loss === null ? null : Math.min(this.rules.rollout.lossBound, loss);
  }

  private mistaken = (reason: string): void => {
    this.firstMistake ??= reason;
  };

  /** What the champion said then, or says now where the log does not have it. */
  private async championAnswers(rows: readonly PastRow[]): Promise<(Answer | PastRow['champion'])[]> {
    const { champion } = this;
    if (champion === null) return rows.map((row) => row.champion);
    const unknown = rows.flatMap((row, index) => (row.champion === null ? [index] : []));
    const asked = await askModel(champion, unknown.map((index) => rows[index]?.features ?? {}), this.mistaken);
    const answers = new Map(unknown.map((index, place) => [index, asked[place] ?? null]));
    return rows.map((row, index) => row.champion ?? answers.get(index) ?? null);
  }

  private slicesOf({ features }: PastRow): (string | null)[] {
    return this.sliceFields().map((name) => {
      const value = features[name];
      return value === null || value === undefined ? null : String(value);
    });
  }

  private async pairs(rows: readonly PastRow[]): Promise<JudgedPair[]> {
    const candidate = await askModel(this.candidate, rows.map(({ features }) => features), this.mistaken);
    const champion = await this.championAnswers(rows);
    const pairs: JudgedPair[] = [];
    rows.forEach((row, index) => {
      const [own, other] = [this.loss(candidate[index] ?? null, row), this.loss(champion[index] ?? null, row)];
      if (own === null || other === null) return this.leaveOut(candidate[index] === null ? 'features are not what the candidate takes' : 'no loss can be told');
      const who = row.championVersion ?? `${this.champion === null ? '' : versionIn(this.champion)} (asked now)`;
      this.champions.set(who, (this.champions.get(who) ?? 0) + 1);
      pairs.push({ unit: row.recordId, candidate: own, champion: other, slices: this.slicesOf(row), row });
    });
    if (pairs.length > 0) return pairs;
    throw new MillraceError('DATASET_EMPTY', `none of the ${rows.length} records can be judged${this.firstMistake === null ? '' : `: ${this.firstMistake}`}; the candidate takes ${this.candidate.layout.features.map(({ name }) => name).join(', ')} (--source archive has fields that were never sent to the gateway)`);
  }

  /** A file has no version that could have answered. */
  private value(past: Past): CounterfactualValue | null {
    if (past.source === 'archive' || existsSync(this.question.candidate)) return null;
    const decisions = past.rows.flatMap((row): ArmDecision[] => {
      const { answered } = row;
      const loss = answered === null ? null : this.loss(answered.output, row);
      if (answered === null || loss === null || answered.propensity <= 0) return [];
      return [{ unit: answered.unit, arm: answered.version, propensity: answered.propensity, loss, slice: this.slicesOf(row)[0] ?? null }];
    });
    return decisions.length === 0 ? null : counterfactualValue(armDecisions(decisions, { [versionIn(this.candidate)]: 1 }), this.question.alpha);
  }

  private refuseManySlices(pairs: readonly ReplayedPair[]): void {
    this.sliceFields().forEach((name, field) => {
      const values = new Set(pairs.map(({ slices }) => slices[field] ?? null));
      if (values.size > slicesMax) throw new MillraceError('REQUEST_INVALID', `the slice field ${name} has ${values.size} values; at most ${slicesMax} can be judged apart`);
    });
  }

  async run(): Promise<{ report: ReplayReport; pairs: readonly JudgedPair[] }> {
    const { past, because } = await this.past();
    const pairs = await this.pairs(past.rows);
    this.refuseManySlices(pairs);
    const plan = this.plan();
    const report: ReplayReport = {
      model: this.model, candidate: shownName(this.question.candidate, this.candidate), champions: Object.fromEntries(this.champions),
      from: new Date(this.question.fromMs).toISOString(), to: new Date(this.question.toMs).toISOString(),
      source: past.source, because, specRevision: this.spec.revision,
      ...judgeReplay(pairs, plan), plan, records: pairs.length, leftOut: { ...past.leftOut, ...Object.fromEntries(this.leftOut) }, offsets: past.read, value: this.value(past),
    };
    return { report, pairs };
  }
}

/**
 * Scores past traffic with a candidate and judges it, on the same records, against what the champion said.
 * @throws MillraceError DATASET_EMPTY when there is nothing to judge, OFFSETS_UNAVAILABLE when the log no longer has it and
 *   nothing else was allowed, REQUEST_INVALID; those of the registry and of the model's file.
 */
export async function replay(question: ReplayQuestion, pasts: Pasts = pastsOfTheRing): Promise<{ report: ReplayReport; pairs: readonly JudgedPair[] }> {
  const model = question.model ?? question.candidate.split('@')[0] ?? '';
  if (question.model === undefined && existsSync(question.candidate)) throw new MillraceError('REQUEST_INVALID', `say with --model whose traffic ${question.candidate} is to answer`);
  const spec = await call<SpecChanged>('model-registry', 'GET', `/v1/models/${encodeURIComponent(model)}`);
  const candidate = await openModel(question.candidate);
  const champion = question.champion === undefined ? null : await openModel(question.champion);
  return new Replay(question, model, spec, readModelSpec(spec.spec).spec, candidate, champion, pasts).run();
}
