import { integer, type ConfigOf } from '@millrace/service';

export const outcomeJoiningSettings = {
  idleSeconds: integer('IDLE_SECONDS', 'a partition that was silent for so long (wall clock) while others moved on no longer holds the stream clock back', { min: 1, max: 86_400 }, 15),
  expireEveryMs: integer('EXPIRE_EVERY_MS', 'how often predictions whose label is overdue are looked for, milliseconds', { min: 10, max: 3_600_000 }, 2_000),
  retentionDays: integer('RETENTION_DAYS', 'settled predictions and labels are kept this long, days of stream time', { min: 1, max: 36_500 }, 90),
  specPatienceSeconds: integer('SPEC_PATIENCE_SECONDS', 'a prediction of a model without a spec waits this long (wall clock) before it is set aside', { min: 0, max: 3_600 }, 10),
} as const;

export type OutcomeJoiningConfig = ConfigOf<typeof outcomeJoiningSettings>;

/** The same settings as an injectable value. */
export abstract class OutcomeJoiningSettings implements OutcomeJoiningConfig {
  abstract readonly idleSeconds: number;
  abstract readonly expireEveryMs: number;
  abstract readonly retentionDays: number;
  abstract readonly specPatienceSeconds: number;
}
