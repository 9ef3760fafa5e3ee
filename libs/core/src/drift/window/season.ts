/** What is compared with its like: rows of one hour of the day, one day of the week, or one hour of the week. UTC. */
export type Season = 'hour-of-day' | 'day-of-week' | 'hour-of-week';

const [hourMs, dayMs, weekMs] = [3_600_000, 86_400_000, 604_800_000];
/** 1 January 1970 was a Thursday; weeks begin on Monday. */
const mondayMs = 3 * dayMs;
const days = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];

const within = (instantMs: number, periodMs: number): number => instantMs - Math.floor(instantMs / periodMs) * periodMs;

/** The bucket of an instant, from 0: hours from midnight, days and hours of the week from Monday. @param instantMs since the epoch. */
export function bucketOf(season: Season, instantMs: number): number {
  if (season === 'hour-of-day') return Math.floor(within(instantMs, dayMs) / hourMs);
  return Math.floor(within(instantMs + mondayMs, weekMs) / (season === 'day-of-week' ? dayMs : hourMs));
}

const clock = (hour: number): string => `${String(hour).padStart(2, '0')}:00`;

/** A bucket in words. */
export function bucketWords(season: Season, bucket: number): string {
  if (season === 'hour-of-day') return clock(bucket);
  return season === 'day-of-week' ? (days[bucket] ?? String(bucket)) : `${days[Math.floor(bucket / 24)] ?? ''} ${clock(bucket % 24)}`;
}

/** “training at the same …”. */
export const seasonWords: Readonly<Record<Season, string>> = { 'hour-of-day': 'hours of the day', 'day-of-week': 'days of the week', 'hour-of-week': 'hours of the week' };
