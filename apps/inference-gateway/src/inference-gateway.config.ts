import { integer, storageSettings, text, type ConfigOf } from '@millrace/service';

export const inferenceGatewaySettings = {
  ...storageSettings,
  spoolFolder: text('SPOOL_FOLDER', 'the folder where prediction logs wait for Kafka; one per instance, on a disk that outlives the process'),
  spoolMegabytesMax: integer('SPOOL_MEGABYTES_MAX', 'prediction logs that may wait, MiB; what comes beyond is dropped and counted', { min: 1, max: 1_048_576 }, 256),
  batchRowsMax: integer('BATCH_ROWS_MAX', 'rows of one run of a model', { min: 1, max: 65_536 }, 256),
  queueRowsMax: integer('QUEUE_ROWS_MAX', 'rows that may wait for one model; beyond it requests get MODEL_OVERLOADED', { min: 1, max: 10_000_000 }, 20_000),
  shadowQueueMax: integer('SHADOW_QUEUE_MAX', 'instances that may wait for their shadow run; beyond it shadow runs are dropped and counted', { min: 1, max: 1_000_000 }, 2_000),
} as const;
export type InferenceGatewayConfig = ConfigOf<typeof inferenceGatewaySettings>;
