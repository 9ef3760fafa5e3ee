import { runService } from '@millrace/service';
import { driftMonitoringSettings } from './drift-monitoring.config.js';
import { DriftMonitoringModule } from './drift-monitoring.module.js';
import { WindowPanes1700000500000 } from './migrations/0001-window-panes.js';

runService({
  name: 'drift-monitoring',
  description: 'Compares what each model version sees and how well it does with what it was trained on, window by window of event time.',
  settings: driftMonitoringSettings,
  module: (config) => DriftMonitoringModule.with(config),
  database: { migrations: [WindowPanes1700000500000] },
});
