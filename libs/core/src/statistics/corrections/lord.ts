/**
 * LORD++: online control of the false discovery rate (A. Ramdas, F. Yang, M. J. Wainwright, M. I. Jordan, NeurIPS 2017).
 * Hypotheses come one after the other; each discovery earns back some of the level for later ones. The rate stays below
 * `alpha` at every time when p-values of true nulls are independent of the past.
 */
export interface OnlineFdr {
  readonly alpha: number;
  /** Level that is there before any discovery, in (0, alpha). */
  readonly initial: number;
  /** Hypotheses judged. */
  readonly tested: number;
  /** The number of each hypothesis that was rejected, from 1. */
  readonly discoveries: readonly number[];
}

/**
 * 1 over Σ ln(max(t, 2))/(t e^√ln t) over all t ≥ 1, which is 12.6451 (summed to 2·10⁷, the rest by its integral), rounded down.
 * The shape is that of A. Javanmard, A. Montanari (Ann. Statist. 46, 2018).
 */
const scale = 0.07908;

/** γ_t: falling, summing to at most 1. */
export function spendingShare(t: number): number {
  return t < 1 ? 0 : (scale * Math.log(Math.max(t, 2))) / (t * Math.exp(Math.sqrt(Math.log(t))));
}

/** @throws RangeError unless 0 < initial < alpha < 1. */
export function startOnlineFdr(alpha: number, initial = alpha / 2): OnlineFdr {
  if (!(alpha > 0 && alpha < 1 && initial > 0 && initial < alpha)) throw new RangeError('0 < initial < alpha < 1 is needed');
  return { alpha, initial, tested: 0, discoveries: [] };
}

/** Level of the next hypothesis: α_t = W₀γ_t + (α − W₀)γ_{t−τ₁} + α Σ_{j≥2} γ_{t−τⱼ}. */
export function nextLevel({ alpha, initial, tested, discoveries }: OnlineFdr): number {
  const t = tested + 1;
  return discoveries.reduce((level, at, index) => level + (index === 0 ? alpha - initial : alpha) * spendingShare(t - at), initial * spendingShare(t));
}

/** Judges the next p-value. */
export function judgeNext(state: OnlineFdr, pValue: number): { readonly state: OnlineFdr; readonly level: number; readonly rejected: boolean } {
  const level = nextLevel(state);
  const rejected = pValue <= level;
  const tested = state.tested + 1;
  return { level, rejected, state: { ...state, tested, discoveries: rejected ? [...state.discoveries, tested] : state.discoveries } };
}
