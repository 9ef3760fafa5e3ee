import { runService } from '@millrace/service';
import { ModelRegistry1700000700000 } from './migrations/0001-model-registry.js';
import { modelRegistrySettings } from './model-registry.config.js';
import { ModelRegistryModule } from './model-registry.module.js';

runService({
  name: 'model-registry',
  description: 'Specs, contracts, model versions, artifacts by content hash, aliases with history, model cards and lineage.',
  settings: modelRegistrySettings,
  module: (config) => ModelRegistryModule.with(config),
  database: { migrations: [ModelRegistry1700000700000] },
});
