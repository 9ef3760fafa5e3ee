import type { PredictionServed } from '@millrace/contracts';

/** Which version, in which role, in which window of event time [start, end), milliseconds since the epoch. */
export interface PaneKey {
  readonly model: string;
  readonly version: string;
  readonly role: PredictionServed['role'];
  readonly windowStartMs: number;
  readonly windowEndMs: number;
  /** The part [start, end) of the window that the pane holds; absent: all of it. */
  readonly paneStartMs?: number;
  readonly paneEndMs?: number;
}

/** What one partition has contributed to one pane of a window. Panes of all partitions merge into the window. */
export interface Pane<State> extends PaneKey {
  readonly partition: number;
  readonly state: State;
  rows: number;
  firstOffset: number;
  lastOffset: number;
}
