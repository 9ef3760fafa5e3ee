/** How long a partition has been silent, milliseconds of wall clock, counted to when any partition moved last. */
export interface PartitionSilence {
  /** Since a record of the stream in question came. */
  readonly silentMs: number;
  /** Since any record came. */
  readonly partitionSilentMs: number;
  /** Offsets not read yet. A transaction’s marker takes one, so 1 is nothing. */
  readonly unread: number;
}

const stalledIntervals = 20;

/**
 * Whether a partition must no longer hold the watermark back: it was silent for longer than `idleMs` while another moved
 * on. One that has unread records and does not move is not silent but stalled (its reader fails or is being replaced):
 * it holds for 20 intervals, so that what it holds is not late, and then gives way, so that one broken partition does
 * not stop all judgement for ever.
 */
export function isIdle({ silentMs, partitionSilentMs, unread }: PartitionSilence, idleMs: number): boolean {
  if (silentMs <= idleMs) return false;
  const stalled = partitionSilentMs > idleMs && unread > 1;
  return !stalled || partitionSilentMs > stalledIntervals * idleMs;
}
