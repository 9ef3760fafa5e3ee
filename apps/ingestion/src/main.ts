import { runService } from '@millrace/service';
import { ingestionSettings } from './ingestion.config.js';
import { IngestionModule } from './ingestion.module.js';

runService({
  name: 'ingestion',
  description: 'The front door: reads producers’ topics and HTTP posts, gives each record one identity, and says why when it cannot.',
  settings: ingestionSettings,
  module: (config) => IngestionModule.with(config),
});
