/** The middle value; of an even number, the mean of the middle two. Null for none; nulls among the values are passed over. */
export function median(values: readonly (number | null)[]): number | null {
  const sorted = values.filter((value) => value !== null && !Number.isNaN(value)).sort((a, b) => Number(a) - Number(b));
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined || upper === null) return null;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

/** Null when either is unknown or the second is 0. */
export function ratio(value: number | null | undefined, base: number | null | undefined): number | null {
  return value === null || value === undefined || base === null || base === undefined || base === 0 ? null : value / base;
}
