/** One arm’s requests in a window. */
export interface ArmCounts {
  /** Answered or failed. */
  requests: number;
  failed: number;
  /** Answers whose latency was compared with the limit, and those above it. */
  timed: number;
  slow: number;
}

/**
 * Requests of 50 ms, by when they ended. Failures and slow answers come in bursts: a worker that dies takes with it all that
 * was under way, a pause delays all that waited. What ends together is one observation, so that a burst is not mistaken
 * for many independent signs.
 */
export interface GuardWindow {
  readonly index: number;
  readonly champion: ArmCounts;
  readonly candidate: ArmCounts;
}

export const windowMs = 50;
/** A window is closed when requests came that ended so much later: answers and failures reach the controller by two topics. */
const graceWindows = 10;

const noCounts = (): ArmCounts => ({ requests: 0, failed: 0, timed: 0, slow: 0 });

export const windowIndexOf = (atMs: number): number => Math.floor(atMs / windowMs);

/** The window of this index among those open; what comes late counts in the oldest, so that nothing is lost. */
export function windowOf(open: GuardWindow[], index: number, newest: number): GuardWindow {
  const wanted = Math.max(index, newest - graceWindows);
  const known = open.find((window) => window.index === wanted);
  if (known !== undefined) return known;
  const fresh: GuardWindow = { index: wanted, champion: noCounts(), candidate: noCounts() };
  open.push(fresh);
  return fresh;
}

/** Takes from `open` the windows that are over, oldest first. */
export function closedWindows(open: GuardWindow[], newest: number): GuardWindow[] {
  const over = open.filter(({ index }) => index < newest - graceWindows).sort((a, b) => a.index - b.index);
  if (over.length > 0) open.splice(0, open.length, ...open.filter(({ index }) => index >= newest - graceWindows));
  return over;
}
