import type { LiveRoute } from './data-plane/route-book.js';

export interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** Records of one request to a model, in the order of the log. */
export interface Asked {
  readonly first: Place;
  readonly last: Place;
  readonly rows: number;
}

interface Narrowed {
  readonly from: number;
  readonly to: number;
  readonly rowsMax: number;
}

const placesMax = 1_000;
const narrowing = 8;

/**
 * What failed before, so that the next try is smaller: records that fail together are asked in eighths the next time, until
 * the one that does it stands alone. Kept in memory only: another process, or a new champion, learns it again.
 */
export class FailedTries {
  /** Tries of one record alone before it is given up. */
  readonly max = 3;
  private readonly narrowed = new Map<string, Narrowed>();
  private readonly tries = new Map<string, number>();
  private readonly triesAlone = new Map<string, number>();

  /** Rows that a request which begins here may have. */
  rowsMax(live: LiveRoute, first: Place): number {
    const narrowed = this.narrowed.get(logOf(live, first));
    return narrowed !== undefined && first.offset >= narrowed.from && first.offset <= narrowed.to ? narrowed.rowsMax : Infinity;
  }

  isGivenUp(live: LiveRoute, { first, rows }: Asked): boolean {
    return rows === 1 && (this.triesAlone.get(placeOf(live, first)) ?? 0) >= this.max;
  }

  /** @param isFault false: the model is out of service, which says nothing of these records. @returns the number of the try. */
  failed(live: LiveRoute, { first, last, rows }: Asked, isFault: boolean): number {
    if (isFault && rows === 1) count(this.triesAlone, placeOf(live, first));
    if (isFault && rows > 1) this.narrow(logOf(live, first), { from: first.offset, to: last.offset, rowsMax: Math.max(1, Math.floor(rows / narrowing)) });
    return count(this.tries, placeOf(live, first));
  }

  /** Within a range that was narrowed before, all of it gets narrower: its records come in the same parts again. */
  private narrow(log: string, next: Narrowed): void {
    const known = this.narrowed.get(log);
    const isWithin = known !== undefined && next.from >= known.from && next.from <= known.to;
    this.narrowed.set(log, isWithin ? { ...known, rowsMax: next.rowsMax } : next);
  }
}

function count(counts: Map<string, number>, key: string): number {
  if (counts.size >= placesMax && !counts.has(key)) counts.clear();
  const number = (counts.get(key) ?? 0) + 1;
  counts.set(key, number);
  return number;
}

const logOf = ({ route, champion }: LiveRoute, { topic, partition }: Place): string => `${route.model}@${champion.version} ${topic}/${partition}`;
const placeOf = (live: LiveRoute, place: Place): string => `${logOf(live, place)}@${place.offset}`;
