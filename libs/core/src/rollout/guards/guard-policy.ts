import type { RolloutGuards } from '@millrace/contracts';

/** Those that judge requests; the one on the business metric judges outcomes. */
export const requestGuardNames = ['error-rate', 'latency', 'prediction-shift', 'answer-difference'] as const;
export const guardNames = [...requestGuardNames, 'business'] as const;
export type GuardName = (typeof guardNames)[number];

/** What a candidate may not do while it is tried, whatever its predictions are worth. Null: not guarded. */
export interface GuardPolicy {
  /** Chance that any guard takes back a candidate that keeps within every limit: all guards, steps and looks together. */
  readonly alpha: number;
  /** Stretches of the roll-out with one share each, over which alpha is spread evenly. */
  readonly steps: number;
  /** Tolerated difference of the shares of requests without an answer, candidate − champion; `max`: where no champion answers beside it. */
  readonly errorRate: { readonly worseByMax: number; readonly max: number } | null;
  /** The candidate’s quantile may be `ratioMax` times the champion’s, or `slackMs` above it, whichever is more. */
  readonly latency: { readonly quantile: number; readonly ratioMax: number; readonly slackMs: number } | null;
  /** Tolerated distance of the arms’ mean scores; scores outside [lowest, highest] are clipped. */
  readonly predictionShift: { readonly max: number; readonly lowest: number; readonly highest: number } | null;
  /** Part of the shadow answers that may differ beyond the champion’s own noise; absent: that is told only. */
  readonly answerDifference?: { readonly max: number };
  /** Guards that share alpha and are judged elsewhere: the one on the business metric. Absent: none. */
  readonly others?: number;
}

/** Where a roll-out stands, as its guards see it. */
export interface GuardStep {
  /** Another than the one before begins new evidence. */
  readonly name: string;
  /** Share of the units that the candidate answers, of those of champion and candidate; null: it is asked too, and nobody hears it. */
  readonly share: number | null;
  /** Smallest and largest share that may come without a new step, as candidates come and go beside it; absent: it stays. */
  readonly shares?: readonly [number, number];
}

const latencyQuantile = 0.99;

/** The guards of a spec. @param alpha of the roll-out. @param steps stretches in which its candidate is tried with one share. */
export function guardPolicyOf({ alphaShare, errorRate, latencyMsP99, predictionShift, answerDifference, business }: RolloutGuards, alpha: number, steps: number): GuardPolicy {
  const { worseByMax, max } = errorRate;
  const { ratioMax, slackMs } = latencyMsP99;
  return {
    alpha: alpha * alphaShare,
    steps,
    errorRate: errorRate.enabled ? { worseByMax, max } : null,
    latency: latencyMsP99.enabled ? { quantile: latencyQuantile, ratioMax, slackMs } : null,
    predictionShift: predictionShift ?? null,
    ...(answerDifference === undefined ? {} : { answerDifference }),
    ...(business === undefined ? {} : { others: 1 }),
  };
}

/** How many guards share alpha. */
export function guardCount({ errorRate, latency, predictionShift, answerDifference, others = 0 }: GuardPolicy): number {
  return Math.max(1, [errorRate, latency, predictionShift, answerDifference ?? null].filter((guard) => guard !== null).length + others);
}

/** Error of one guard in one step. */
export const alphaOf = (policy: GuardPolicy): number => policy.alpha / guardCount(policy) / Math.max(1, policy.steps);
