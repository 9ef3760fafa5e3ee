import { runService } from '@millrace/service';
import { Rollouts1700000900000 } from './migrations/0001-rollouts.js';
import { Readings1700000910000 } from './migrations/0002-readings.js';
import { Guards1700000930000 } from './migrations/0003-guards.js';
import { LateLabels1700000940000 } from './migrations/0004-late-labels.js';
import { CandidatesAtOnce1700000950000 } from './migrations/0005-candidates-at-once.js';
import { CountedUnits1700000960000 } from './migrations/0006-counted-units.js';
import { GuardBatches1700000970000 } from './migrations/0007-guard-batches.js';
import { rolloutControllerSettings } from './rollout-controller.config.js';
import { RolloutControllerModule } from './rollout-controller.module.js';

runService({
  name: 'rollout-controller',
  description: 'Moves traffic from one model version to the next by evidence, and back.',
  settings: rolloutControllerSettings,
  module: (config) => RolloutControllerModule.with(config),
  database: { migrations: [Rollouts1700000900000, Readings1700000910000, Guards1700000930000, LateLabels1700000940000, CandidatesAtOnce1700000950000, CountedUnits1700000960000, GuardBatches1700000970000] },
});
