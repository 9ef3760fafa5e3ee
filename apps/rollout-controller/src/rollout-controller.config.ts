import { integer, type ConfigOf } from '@millrace/service';

export const rolloutControllerSettings = {
  stepEveryOutcomes: integer('STEP_EVERY_OUTCOMES', 'a look that changes nothing is told at most once per so many outcomes', { min: 1, max: 1_000_000 }, 500),
} as const;
export type RolloutControllerConfig = ConfigOf<typeof rolloutControllerSettings>;
