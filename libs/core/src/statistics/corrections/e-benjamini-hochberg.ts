/**
 * e-BH (R. Wang, A. Ramdas, JRSS B 84, 2022): rejects the k hypotheses with the largest e-values, k the largest number with
 * e₍ₖ₎ ≥ K/(αk). The false discovery rate stays below α whatever the dependence, and e-values may have been stopped at any time.
 * @returns for each e-value, in their order, whether its hypothesis is rejected.
 */
export function eBenjaminiHochberg(eValues: readonly number[], alpha: number): boolean[] {
  const sorted = [...eValues].sort((a, b) => b - a);
  let cut = Infinity;
  sorted.forEach((e, index) => {
    if (e * alpha * (index + 1) >= eValues.length) cut = e;
  });
  return eValues.map((e) => e >= cut);
}
