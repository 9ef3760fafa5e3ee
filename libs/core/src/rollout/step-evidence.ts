import { extendBetting, observeUnit, startBetting, startSampleRatio, type BettingSequence, type SampleRatio } from '../statistics/index.js';
import { bettingPlanOf, counted, emptyTallies, rangeOf, weighedOutcome, type Arm, type ArmTallies } from './arm-difference.js';
import { extendFutility, startFutility, type Futility } from './futility.js';
import { copiedBusiness, observeBusiness, startBusiness, type BusinessEvidence } from './guards/business-metric.js';
import { comparisonOf, extremeShare, isPaired, type RolloutPolicy, type StepPolicy } from './rollout-policy.js';

/** A stretch of a step in which the candidate’s share stayed the same: one route. */
export interface Leg {
  /** Of the route; null until an outcome has shown it. */
  readonly revision: number | null;
  /** Part of all units. */
  readonly share: number;
  /** Part of all units that other candidates answer; absent: none. */
  readonly others?: number;
}

/** Part of the units of champion and candidate that the candidate answers: what others answer says nothing of these two. */
export const splitOf = ({ share, others = 0 }: Leg): number => (others === 0 ? share : share / (1 - others));

/** What is known of one value of one feature. */
export interface SliceEvidence {
  readonly difference: BettingSequence;
  readonly arms: ArmTallies;
}

/** What a step has learnt: plain JSON. */
export interface StepEvidence {
  /** In the plan. */
  readonly step: number;
  readonly legs: readonly Leg[];
  /** Differences of losses, candidate − champion. */
  readonly difference: BettingSequence;
  /** Outcomes by the arm that answered, and their summed loss. Pairs count for both. */
  readonly arms: ArmTallies;
  /** Outcomes of the candidate in the last leg. */
  readonly legRows: number;
  /** Whether outcomes come in the share that is routed now; null where both arms are asked. */
  readonly ratio: SampleRatio | null;
  /** Outcome of the step at which a share of one of its legs stood refused; null while all stand. */
  readonly mismatchAt: number | null;
  readonly futility: Futility | null;
  readonly slices: Readonly<Record<string, SliceEvidence>>;
  /** Of the business metric, where it is guarded and units are split. */
  readonly business?: BusinessEvidence;
}

/** Values of the features that slices name, as a prediction saw them. */
export type Groups = Readonly<Record<string, string>>;

export interface PairedLoss {
  readonly candidate: number;
  readonly champion: number;
  readonly groups?: Groups;
}
export interface ArmLoss {
  readonly arm: Arm;
  readonly loss: number;
  /** Index of the leg under which it was answered; absent: the last one. */
  readonly leg?: number;
  readonly groups?: Groups;
  /** Hash of a unit that may come again; absent: it cannot. */
  readonly unit?: string;
  /** What the label’s record tells besides. */
  readonly measures?: Readonly<Record<string, number>>;
}
export interface Outcomes {
  readonly pairs: readonly PairedLoss[];
  readonly arms: readonly ArmLoss[];
}

/** Error of the check that outcomes come in the routed share, over every look of one leg together. */
const sampleRatioAlpha = 0.001;

/** Slices of a step that are judged; each has the same part of the error, whether all come or not. */
export const slicesMax = 20;

/** The share of every candidate is checked against the champion’s, each check with the same part of the error. */
const startRatio = (leg: Leg, { candidates = 1 }: RolloutPolicy): SampleRatio => startSampleRatio(splitOf(leg), sampleRatioAlpha / candidates);

const legOf = (share: number, others: number, revision: number | null = null): Leg => ({ revision, share, ...(others === 0 ? {} : { others }) });

/** @param others part of the units that other candidates answer. */
export function startEvidence(step: number, policy: RolloutPolicy, others = 0): StepEvidence | null {
  const rules = policy.steps[step];
  if (rules === undefined) return null;
  const leg = legOf(rules.share, others);
  return {
    step, legs: [leg], arms: emptyTallies, legRows: 0, mismatchAt: null, slices: {},
    difference: startBetting(bettingPlanOf(comparisonOf(rules, policy))),
    ratio: isPaired(rules) ? null : startRatio(leg, policy),
    futility: policy.futilityBeta === null || rules.onTimeout === 'go-on' ? null : startFutility(policy.futilityBeta),
    ...(policy.business === undefined || isPaired(rules) ? {} : { business: startBusiness(policy.business, extremeShare(rules)) }),
  };
}

/** The evidence goes on under another share: each outcome is weighed by the share under which it was answered. */
export function startLeg(evidence: StepEvidence, share: number, policy: RolloutPolicy): StepEvidence {
  const leg = legOf(share, othersOf(evidence));
  return { ...evidence, legs: [...evidence.legs, leg], legRows: 0, ratio: startRatio(leg, policy) };
}

export const othersOf = ({ legs }: Pick<StepEvidence, 'legs'>): number => legs.at(-1)?.others ?? 0;

/** The evidence goes on beside other candidates than before, who take their units from the champion. @param revision of the route that tells it. */
export function startLegBeside(evidence: StepEvidence, others: number, revision: number, policy: RolloutPolicy): StepEvidence {
  const before = withRevision(evidence, revision - 1);
  const leg = legOf(before.legs.at(-1)?.share ?? 0, others, revision);
  return { ...before, legs: [...before.legs, leg], ratio: evidence.ratio === null || others === othersOf(evidence) ? evidence.ratio : startRatio(leg, policy) };
}

/** The route in force belongs to the last leg. */
export function withRevision(evidence: StepEvidence, revision: number): StepEvidence {
  const last = evidence.legs.at(-1);
  if (last === undefined || last.revision !== null) return evidence;
  return { ...evidence, legs: [...evidence.legs.slice(0, -1), { ...last, revision }] };
}

/** A copy that may be changed: the evidence given stays as it is. */
function copied({ up, down, ...rest }: BettingSequence): BettingSequence {
  const side = ({ bets, shares, growths }: BettingSequence['up']): BettingSequence['up'] => ({ bets: [...bets], shares: [...shares], growths: [...growths] });
  return { ...rest, up: side(up), down: side(down) };
}

const clipped = (loss: number, bound: number): number => Math.min(bound, Math.max(0, loss));
/** Rounding may carry an extreme value past the bound by its last digit. */
const within = (value: number, range: number): number => Math.min(range, Math.max(-range, value));

/** Takes outcomes into a step’s evidence; private copies, made once per batch. */
class Gathering {
  private arms: ArmTallies;
  private legRows: number;
  private mismatchAt: number | null;
  private readonly difference: BettingSequence;
  private readonly futility: Futility | null;
  private readonly ratio: SampleRatio | null;
  private readonly slices: Record<string, SliceEvidence>;
  private readonly fresh = new Set<string>();
  private business: BusinessEvidence | undefined;

  constructor(
    private readonly before: StepEvidence,
    private readonly step: StepPolicy,
    private readonly policy: RolloutPolicy,
  ) {
    const { arms, legRows, mismatchAt, difference, futility, ratio, slices } = before;
    this.arms = arms;
    this.legRows = legRows;
    this.mismatchAt = mismatchAt;
    this.difference = copied(difference);
    this.futility = futility === null ? null : { ...futility };
    this.ratio = ratio === null ? null : { ...ratio, process: { ...ratio.process } };
    this.slices = { ...slices };
    this.business = before.business === undefined ? undefined : copiedBusiness(before.business, copied);
  }

  pair({ candidate, champion, groups }: PairedLoss): void {
    const { lossBound } = this.policy;
    const losses = { candidate: clipped(candidate, lossBound), champion: clipped(champion, lossBound) };
    this.arms = bothCounted(this.arms, losses);
    this.legRows += 1;
    this.observe(losses.candidate - losses.champion);
    for (const name of this.sliceNames(groups)) {
      const slice = this.slice(name);
      if (slice === null) continue;
      extendBetting(slice.difference, losses.candidate - losses.champion);
      this.slices[name] = { ...slice, arms: bothCounted(slice.arms, losses) };
    }
  }

  outcome({ arm, loss: told, leg, groups, measures = {} }: ArmLoss): void {
    const { legs } = this.before;
    const last = legs.length - 1;
    const answeredIn = legs[leg ?? last];
    if (answeredIn === undefined) throw new RangeError(`there is no leg ${leg ?? last}`);
    const share = splitOf(answeredIn);
    const loss = clipped(told, this.policy.lossBound);
    this.observe(this.weighed(arm, loss, this.arms, share));
    this.arms = counted(this.arms, arm, loss);
    if ((leg ?? last) === last) this.countUnit(arm);
    this.measure(arm, measures, share);
    for (const name of this.sliceNames(groups)) {
      const slice = this.slice(name);
      if (slice === null) continue;
      extendBetting(slice.difference, this.weighed(arm, loss, slice.arms, share));
      this.slices[name] = { ...slice, arms: counted(slice.arms, arm, loss) };
    }
  }

  done(): StepEvidence {
    const { arms, legRows, mismatchAt, difference, futility, ratio, slices, business } = this;
    return { ...this.before, arms, legRows, mismatchAt, difference, futility, ratio, slices, ...(business === undefined ? {} : { business }) };
  }

  private measure(arm: Arm, measures: Readonly<Record<string, number>>, share: number): void {
    const { business: policy } = this.policy;
    if (this.business === undefined || policy === undefined) return;
    this.business = observeBusiness(this.business, arm, Object.hasOwn(measures, policy.field) ? measures[policy.field] : undefined, share, policy);
  }

  private countUnit(arm: Arm): void {
    if (arm === 'candidate') this.legRows += 1;
    if (this.ratio !== null && observeUnit(this.ratio, arm === 'candidate')) this.mismatchAt ??= this.difference.n;
  }

  private observe(value: number): void {
    extendBetting(this.difference, value);
    if (this.futility !== null) extendFutility(this.futility, this.difference, value, this.difference.n, comparisonOf(this.step, this.policy));
  }

  private weighed(arm: Arm, loss: number, arms: ArmTallies, share: number): number {
    return within(weighedOutcome(arm, loss, arms, share, this.policy.lossBound), rangeOf(comparisonOf(this.step, this.policy)));
  }

  private sliceNames(groups: Groups = {}): string[] {
    return (this.policy.slices?.fields ?? []).flatMap((field) => (Object.hasOwn(groups, field) ? [`${field}=${groups[field] ?? ''}`] : []));
  }

  /** Null for one too many: what came first is judged. */
  private slice(name: string): SliceEvidence | null {
    const known = Object.hasOwn(this.slices, name) ? this.slices[name] : undefined;
    if (known !== undefined && this.fresh.has(name)) return known;
    if (known === undefined && Object.keys(this.slices).length >= slicesMax) return null;
    this.fresh.add(name);
    return known === undefined ? startSlice(this.step, this.policy) : { ...known, difference: copied(known.difference) };
  }
}

function startSlice(step: StepPolicy, policy: RolloutPolicy): SliceEvidence {
  return { difference: startBetting(bettingPlanOf({ ...comparisonOf(step, policy), alpha: sliceAlpha(policy) })), arms: emptyTallies };
}

function bothCounted(arms: ArmTallies, { candidate, champion }: { candidate: number; champion: number }): ArmTallies {
  return counted(counted(arms, 'candidate', candidate), 'champion', champion);
}

/** Error of one slice in one step. */
export const sliceAlpha = ({ slices, alpha }: RolloutPolicy): number => (slices?.alpha ?? alpha) / slicesMax;

/**
 * Takes a batch of outcomes into the evidence of a step; the evidence given stays as it is. Where both arms are asked: the
 * difference of both losses on the same request. Otherwise who answers is drawn, see `weighedOutcome`.
 */
export function gatherEvidence(evidence: StepEvidence, { pairs, arms }: Outcomes, policy: RolloutPolicy): StepEvidence {
  const step = policy.steps[evidence.step];
  if (step === undefined || pairs.length + arms.length === 0) return evidence;
  const gathering = new Gathering(evidence, step, policy);
  if (isPaired(step)) for (const pair of pairs) gathering.pair(pair);
  else for (const outcome of arms) gathering.outcome(outcome);
  return gathering.done();
}

/** Outcomes of the candidate so far (pairs, where both arms are asked). */
export const rowsOf = ({ arms }: StepEvidence): number => arms.candidate.n;
