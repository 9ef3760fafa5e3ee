import betaQuantile from '@stdlib/stats-base-dists-beta-quantile';

/**
 * Exact interval for a proportion: it holds the truth with at least the confidence stated, at every n and share (C. J. Clopper
 * and E. S. Pearson, Biometrika 26, 1934, by quantiles of the beta distribution). Wider than Wilson’s, whose confidence
 * only holds on average.
 */
export function clopperPearsonInterval(hits: number, n: number, confidence = 0.95): { low: number; high: number } {
  const tail = (1 - confidence) / 2;
  return {
    low: hits === 0 ? 0 : betaQuantile(tail, hits, n - hits + 1),
    high: hits === n ? 1 : betaQuantile(1 - tail, hits + 1, n - hits),
  };
}
