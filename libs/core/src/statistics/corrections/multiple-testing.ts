/**
 * Holm’s step-down adjustment (S. Holm, Scand. J. Statist. 6, 1979): rejecting where the adjusted p is at most α keeps
 * the chance of any false rejection below α, whatever the dependence. Order is kept.
 */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((p, index) => ({ p, index })).sort((a, b) => a.p - b.p);
  const adjusted = new Array<number>(pValues.length).fill(1);
  let running = 0;
  order.forEach(({ p, index }, rank) => {
    running = Math.max(running, Math.min(1, p * (pValues.length - rank)));
    adjusted[index] = running;
  });
  return adjusted;
}

/** Benjamini–Hochberg adjustment (JRSS B 57, 1995): false discovery rate under independence or positive dependence. */
export function benjaminiHochberg(pValues: readonly number[]): number[] {
  const order = pValues.map((p, index) => ({ p, index })).sort((a, b) => b.p - a.p);
  const adjusted = new Array<number>(pValues.length).fill(1);
  let running = 1;
  order.forEach(({ p, index }, rank) => {
    running = Math.min(running, (p * pValues.length) / (pValues.length - rank));
    adjusted[index] = running;
  });
  return adjusted;
}
