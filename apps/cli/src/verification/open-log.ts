import { MillraceError, type DataOf, type EventDefinition } from '@millrace/contracts';
import type { PartitionRange, Received } from '@millrace/messaging';
import { brokers } from '../services.js';

/** Offsets [fromOffset, toOffset) of a partition of a topic. */
export interface TopicRange extends PartitionRange {
  readonly topic: string;
}

/** The events of a log, to be read again. */
export interface EventLog {
  /** Each event of the ranges that its definition understands, in offset order per partition. What its readers set aside is passed over. @throws MillraceError OFFSETS_UNAVAILABLE */
  read<D extends EventDefinition>(event: D, ranges: readonly TopicRange[], take: (event: Received<DataOf<D>>) => void): Promise<void>;
  /** The first offset that each partition still holds. */
  earliest(event: EventDefinition): Promise<Map<number, number>>;
  /** Everything that the topic holds now. */
  held(event: EventDefinition): Promise<TopicRange[]>;
  close(): Promise<void>;
}

/** Kafka’s client is loaded only when somebody reads: it costs every other command a tenth of a second. */
export async function openLog(): Promise<EventLog> {
  const { decodeEvent, KafkaDriver, readRanges } = await import('@millrace/messaging');
  const driver = new KafkaDriver({ brokers: brokers(), clientId: 'millrace-verify' });
  return {
    async read(event, ranges, take) {
      const wanted = ranges.filter(({ topic }) => topic === event.type);
      await readRanges(driver, event.type, wanted, (deliveries, { done, total }) => {
        for (const delivery of deliveries) {
          if (delivery.value === null) continue;
          try {
            take(decodeEvent(event, delivery));
          } catch (error) {
            if (!(error instanceof MillraceError) || error.code !== 'EVENT_INVALID') throw error;
          }
        }
        showProgress(event.type, done, total);
      });
    },
    earliest: async (event) => new Map((await driver.watermarks(event.type)).map(({ partition, low }) => [partition, low])),
    held: async (event) => (await driver.watermarks(event.type)).map(({ partition, low, high }) => ({ topic: event.type, partition, fromOffset: low, toOffset: high })),
    close: () => driver.close(),
  };
}

function showProgress(topic: string, done: number, total: number): void {
  if (!process.stderr.isTTY) return;
  process.stderr.write(done >= total ? '\r\u001b[K' : `\r${topic}: ${Math.floor((100 * done) / total)} % of ${total.toLocaleString('en-US')} offsets read again`);
}
