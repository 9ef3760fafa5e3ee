export interface BackOff {
  readonly firstMs: number;
  readonly longestMs: number;
  /** A process that ran this long before it exited starts counting from zero again. */
  readonly calmMs: number;
}

export const defaultBackOff: BackOff = { firstMs: 200, longestMs: 5_000, calmMs: 30_000 };

/** The pause before restart number `restart` (1, 2, …): doubles from `firstMs`, never above `longestMs`. */
export function pauseBeforeMs(restart: number, { firstMs, longestMs }: BackOff): number {
  return Math.min(longestMs, firstMs * 2 ** Math.min(30, restart - 1));
}
