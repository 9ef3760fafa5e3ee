import type { PredictionServed } from '@millrace/contracts';

/** `predictions` make drift panes, `outcomes` make performance panes. */
export type PaneSource = 'predictions' | 'outcomes';

/** Which version, in which role, in which window of event time [start, end), milliseconds since the epoch. */
export interface PaneKey {
  readonly model: string;
  readonly version: string;
  readonly role: PredictionServed['role'];
  readonly windowStartMs: number;
  readonly windowEndMs: number;
}

/** What one partition has contributed to one window. Panes of all partitions merge into the window. */
export interface Pane<State> extends PaneKey {
  readonly partition: number;
  readonly state: State;
  rows: number;
  firstOffset: number;
  lastOffset: number;
}
