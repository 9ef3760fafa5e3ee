import { runService } from '@millrace/service';
import { driftMonitoringSettings } from './drift-monitoring.config.js';
import { DriftMonitoringModule } from './drift-monitoring.module.js';
import { WindowPanes1700000500000 } from './migrations/0001-window-panes.js';
import { MinutePanes1700000500020 } from './migrations/0002-minute-panes.js';
import { OutcomeMonitoring1700000500030 } from './migrations/0003-outcome-monitoring.js';
import { VerdictInputs1700000500040 } from './migrations/0004-verdict-inputs.js';

runService({
  name: 'drift-monitoring',
  description: 'Compares what each model version sees and how well it does with what it was trained on, window by window of event time.',
  settings: driftMonitoringSettings,
  module: (config) => DriftMonitoringModule.with(config),
  database: { migrations: [WindowPanes1700000500000, MinutePanes1700000500020, OutcomeMonitoring1700000500030, VerdictInputs1700000500040] },
});
