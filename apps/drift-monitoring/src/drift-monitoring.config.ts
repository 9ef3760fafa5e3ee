import { integer, type ConfigOf } from '@millrace/service';

export const driftMonitoringSettings = {
  idleSeconds: integer('IDLE_SECONDS', 'a partition that was silent for so long (wall clock) while others moved on no longer holds the watermark back', { min: 1, max: 86_400 }, 15),
  closeEveryMs: integer('CLOSE_EVERY_MS', 'how often windows that can be closed are looked for, milliseconds', { min: 10, max: 3_600_000 }, 500),
  saveEveryMs: integer('SAVE_EVERY_MS', 'window state is saved at least so often, milliseconds', { min: 50, max: 60_000 }, 1_000),
  saveEveryRecords: integer('SAVE_EVERY_RECORDS', 'window state of a partition is saved at least after so many records', { min: 1, max: 1_000_000 }, 10_000),
  patienceSeconds: integer('PATIENCE_SECONDS', 'records of a model or version that is not known yet wait this long (wall clock) before they are taken without reference', { min: 0, max: 3_600 }, 5),
} as const;

export type DriftMonitoringConfig = ConfigOf<typeof driftMonitoringSettings>;

/** The same settings as an injectable value. */
export abstract class DriftMonitoringSettings implements DriftMonitoringConfig {
  abstract readonly idleSeconds: number;
  abstract readonly closeEveryMs: number;
  abstract readonly saveEveryMs: number;
  abstract readonly saveEveryRecords: number;
  abstract readonly patienceSeconds: number;
}
