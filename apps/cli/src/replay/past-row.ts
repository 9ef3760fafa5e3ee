import type { ServedPrediction } from '@millrace/contracts';
import type { TopicRange } from '../verification/open-log.js';

/** A record of the past that has met its label. */
export interface PastRow {
  readonly recordId: string;
  readonly label: boolean | number | string;
  readonly features: Readonly<Record<string, unknown>>;
  /** What the champion said then; null: it has to be asked now. */
  readonly champion: ServedPrediction['output'] | null;
  readonly championVersion: string | null;
  /** Who answered the application, and with what probability; null: unknown. */
  readonly answered: { readonly version: string; readonly unit: string; readonly propensity: number; readonly output: ServedPrediction['output'] } | null;
}

/** Offsets [fromOffset, toOffset) that were read, and how many events or rows of them count. */
export interface ReadRange extends TopicRange {
  readonly rows: number;
}

export interface Past {
  /** The log has what was said then; in the archive both versions are asked now. */
  readonly source: 'log' | 'archive';
  /** In the order in which their labels became known. */
  readonly rows: readonly PastRow[];
  readonly read: readonly ReadRange[];
  /** Records of the range that do not count, by why. */
  readonly leftOut: Readonly<Record<string, number>>;
}

/** Which past is asked for: event times in [fromMs, toMs). */
export interface PastQuestion {
  readonly model: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** null: whichever was champion then. */
  readonly championVersion: string | null;
  /** All are held in memory: about 1 KB each. */
  readonly rowsMax: number;
}
