/**
 * The latency above which an answer counts as slow: the champion’s quantile, times what is tolerated. Latencies are counted in
 * buckets 2 % wide, so that a quantile is off by at most that much and the state stays small whatever the traffic. The limit is
 * drawn anew each time the champion has answered twice as often: known before the answers that it judges. Plain JSON.
 */
export interface LatencyLimit {
  readonly v: 1;
  readonly quantile: number;
  readonly ratioMax: number;
  readonly slackMs: number;
  /** The champion’s answers by bucket: bucket b holds (1.02^(b−1), 1.02^b] ms; bucket 0 all below 0.01 ms. */
  readonly buckets: { [bucket: string]: number };
  n: number;
  nextAt: number;
  quantileMs: number | null;
  /** Null until the champion’s quantile can be told. */
  limitMs: number | null;
}

const width = Math.log(1.02);
const lowestMs = 0.01;
/** Answers of the champion before the first limit is drawn, in multiples of 1 / (1 − quantile). */
const firstTails = 2;

export function startLatencyLimit({ quantile, ratioMax, slackMs }: Pick<LatencyLimit, 'quantile' | 'ratioMax' | 'slackMs'>): LatencyLimit {
  return { v: 1, quantile, ratioMax, slackMs, buckets: {}, n: 0, nextAt: Math.ceil(firstTails / (1 - quantile)), quantileMs: null, limitMs: null };
}

const bucketOf = (latencyMs: number): number => (latencyMs <= lowestMs ? 0 : Math.ceil(Math.log(latencyMs / lowestMs) / width));

/** Counts one answer of the champion, in place. */
export function countLatency(limit: LatencyLimit, latencyMs: number): void {
  const bucket = bucketOf(latencyMs);
  limit.buckets[bucket] = (limit.buckets[bucket] ?? 0) + 1;
  limit.n += 1;
  if (limit.n < limit.nextAt) return;
  limit.nextAt = limit.n * 2;
  limit.quantileMs = quantileOf(limit);
  limit.limitMs = Math.max(limit.quantileMs * limit.ratioMax, limit.quantileMs + limit.slackMs);
}

/** Upper edge of the bucket that holds the quantile, ms. */
function quantileOf({ buckets, n, quantile }: LatencyLimit): number {
  const rank = Math.ceil(n * quantile);
  let counted = 0;
  let highest = 0;
  // Integer keys of an object come in ascending order.
  for (const [bucket, count] of Object.entries(buckets)) {
    counted += count;
    highest = Number(bucket);
    if (counted >= rank) break;
  }
  return lowestMs * Math.exp(highest * width);
}
