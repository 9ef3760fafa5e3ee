import { choice, integer, type ConfigOf } from '@millrace/service';

export const ingestionSettings = {
  createProducerTopics: choice('CREATE_PRODUCER_TOPICS', '1: create record and label topics that do not exist yet; 0: wait for their producers to do it', ['0', '1'], '0'),
  recordBytesMax: integer('RECORD_BYTES_MAX', 'the largest record or label taken in, bytes', { min: 1_024, max: 700_000 }, 512_000),
  topicRetryMs: integer('TOPIC_RETRY_MS', 'how long to wait before looking again for a topic that does not exist, milliseconds', { min: 10, max: 600_000 }, 5_000),
} as const;

export type IngestionConfig = ConfigOf<typeof ingestionSettings>;

/** The same settings as an injectable value. */
export abstract class IngestionSettings implements IngestionConfig {
  abstract readonly createProducerTopics: '0' | '1';
  abstract readonly recordBytesMax: number;
  abstract readonly topicRetryMs: number;
}
