import type { LogConnection } from '@millrace/messaging/publishing';
import type { SegmentView } from './spool/segment.js';
import type { Settled } from './spool/spool-reader.js';

/** What the thread that publishes is started with. */
export interface PublisherOrder {
  readonly connection: LogConnection;
  /** The name of the relay, for ever: its progress in Kafka is stored under it. */
  readonly relayId: string;
  readonly segments: readonly SegmentView[];
}

export type ToPublisher =
  | { readonly kind: 'view'; readonly segments: readonly SegmentView[] }
  /** Publish what waits, then end. */
  | { readonly kind: 'stop' };

export type FromPublisher =
  | { readonly kind: 'settled'; readonly settled: Settled }
  | { readonly kind: 'failed'; readonly message: string; readonly retryInMs: number }
  | { readonly kind: 'kafka'; readonly level: 'warn' | 'debug'; readonly message: string; readonly details: string };
