import { runService } from '@millrace/service';
import { dataValidationSettings } from './data-validation.config.js';
import { DataValidationModule } from './data-validation.module.js';
import { Validation1700000200000 } from './migrations/0001-validation.js';

runService({
  name: 'data-validation',
  description: 'Judges records and labels against their data contract, keeps what breaks it, and archives the rest.',
  settings: dataValidationSettings,
  module: (config) => DataValidationModule.with(config),
  database: { migrations: [Validation1700000200000] },
});
