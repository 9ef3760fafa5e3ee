import { judgementOf, judgeRow, startLogJudge, type LogJudge, type LogJudgement, type LogPlan } from '../judge-log.js';

/** Losses of both versions on one record. */
export interface ReplayedPair {
  readonly unit: string;
  /** Both in [0, lossBound]. */
  readonly candidate: number;
  readonly champion: number;
  /** Value of each slice field, in the order of the plan's; null: in none. */
  readonly slices: readonly (string | null)[];
}

export interface ReplayPlan extends Pick<LogPlan, 'lossBound' | 'margin' | 'alpha' | 'effect'> {
  /** Fields whose values are judged apart. */
  readonly sliceFields: readonly string[];
}

export type JudgedSlice = LogJudgement['slices'][number] & { readonly field: string };

/** A gate's answer; the fourth, errored, is an error's. */
export type GateOutcome = 'passed' | 'failed' | 'inconclusive';

export interface ReplayJudgement extends Omit<LogJudgement, 'slices' | 'sampleRatio' | 'latency'> {
  readonly gate: GateOutcome;
  readonly slices: readonly JudgedSlice[];
}

/** Missing evidence never passes. One slice that is worse fails the whole. */
function gateOf({ verdict }: Pick<LogJudgement, 'verdict'>, slices: readonly JudgedSlice[]): GateOutcome {
  if (verdict === 'worse' || slices.some((slice) => slice.verdict === 'worse')) return 'failed';
  return verdict === 'not-enough-evidence' ? 'inconclusive' : 'passed';
}

function judgeField(pairs: readonly ReplayedPair[], field: number, plan: LogPlan): LogJudge {
  const judge = startLogJudge(plan);
  for (const { unit, candidate, champion, slices } of pairs) {
    const slice = slices[field] ?? null;
    judgeRow(judge, { unit, arm: 'champion', loss: champion, slice, latencyMs: null });
    judgeRow(judge, { unit, arm: 'candidate', loss: candidate, slice, latencyMs: null });
  }
  return judge;
}

/**
 * Judges a candidate on past records by the judge of paired logs, so that the verdict may be looked at after every pair; rows
 * count two to a pair, as in such a log. All slices of all fields together have one alpha.
 * @param pairs in the order in which their labels became known; a unit stands once.
 */
export function judgeReplay(pairs: readonly ReplayedPair[], { sliceFields, ...rest }: ReplayPlan): ReplayJudgement {
  const values = sliceFields.map((_, field) => new Set(pairs.map(({ slices }) => slices[field] ?? null).filter((value) => value !== null)).size);
  const plan: LogPlan = { ...rest, paired: true, share: 0.5, sampleRatioAlpha: 0.01, slices: values.reduce((sum, each) => sum + each, 0), drawnPerRow: false, latencyQuantile: 0.99 };
  const judgements = sliceFields.map((_, field) => judgementOf(judgeField(pairs, field, plan)));
  const { slices: _own, sampleRatio: _ratio, latency: _latency, ...overall } = judgements[0] ?? judgementOf(judgeField(pairs, -1, plan));
  const slices = judgements.flatMap((judgement, index) => judgement.slices.map((slice) => ({ field: sliceFields[index] ?? '', ...slice })));
  return { gate: gateOf(overall, slices), ...overall, slices };
}
