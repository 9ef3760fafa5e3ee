import { integer, storageSettings, type ConfigOf } from '@millrace/service';

export const dataValidationSettings = {
  ...storageSettings,
  segmentRowsMax: integer('SEGMENT_ROWS_MAX', 'a partition’s archive segment is sealed after this many records', { min: 1, max: 1_000_000 }, 20_000),
  segmentMsMax: integer('SEGMENT_MS_MAX', 'a partition’s archive segment is sealed after this long, milliseconds', { min: 50, max: 3_600_000 }, 2_000),
  brokenJudgedMin: integer('BROKEN_JUDGED_MIN', 'a contract is called broken only after this many records of a day were judged', { min: 1, max: 1_000_000 }, 50),
} as const;

export type DataValidationConfig = ConfigOf<typeof dataValidationSettings>;

/** The same settings as an injectable value. */
export abstract class DataValidationSettings implements DataValidationConfig {
  abstract readonly storageUrl: string;
  abstract readonly segmentRowsMax: number;
  abstract readonly segmentMsMax: number;
  abstract readonly brokenJudgedMin: number;
}
