import { runService } from '@millrace/service';
import { OpenPredictions1700000400000 } from './migrations/0001-open-predictions.js';
import { outcomeJoiningSettings } from './outcome-joining.config.js';
import { OutcomeJoiningModule } from './outcome-joining.module.js';

runService({
  name: 'outcome-joining',
  description: 'Joins predictions with labels that come late, twice, out of order or never, and publishes outcomes.',
  settings: outcomeJoiningSettings,
  module: (config) => OutcomeJoiningModule.with(config),
  database: { migrations: [OpenPredictions1700000400000] },
});
