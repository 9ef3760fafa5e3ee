export { durationMs } from '@millrace/contracts';

/** Start of the tumbling window that holds an instant; windows are aligned to the Unix epoch. All in milliseconds. */
export function windowStart(instantMs: number, lengthMs: number): number {
  return Math.floor(instantMs / lengthMs) * lengthMs;
}

export interface PartitionClock {
  /** Largest event time seen, milliseconds since the epoch; null before the first record. */
  readonly maxEventTimeMs: number | null;
  /** Nothing has come for so long that this partition must not hold the others back. Judged by the wall clock, outside. */
  readonly idle: boolean;
}

/**
 * The stream clock: the least of the partitions’ largest event times, minus the allowed lateness. Idle partitions are
 * left out while another one moves; when all are idle, the largest of them counts. null before any record.
 */
export function watermarkMs(partitions: readonly PartitionClock[], latenessMs: number): number | null {
  const seen = partitions.filter((clock): clock is PartitionClock & { maxEventTimeMs: number } => clock.maxEventTimeMs !== null);
  if (seen.length === 0) return null;
  const active = seen.filter(({ idle }) => !idle);
  const times = (active.length > 0 ? active : seen).map(({ maxEventTimeMs }) => maxEventTimeMs);
  return (active.length > 0 ? Math.min(...times) : Math.max(...times)) - latenessMs;
}

/** A window [start, start + length) is closed once the watermark has reached its end. */
export function isClosed(startMs: number, lengthMs: number, watermark: number | null): boolean {
  return watermark !== null && startMs + lengthMs <= watermark;
}
