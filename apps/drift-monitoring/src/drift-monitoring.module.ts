import { Module, type DynamicModule } from '@nestjs/common';
import { CloseWindowsTask } from './close-windows.task.js';
import { ClosingStore } from './closing.store.js';
import { DriftMonitoringSettings, type DriftMonitoringConfig } from './drift-monitoring.config.js';
import { ErrorWatchStore } from './error-watch.store.js';
import { JudgeAttributionsHandler } from './judge-attributions.handler.js';
import { JudgeInputsHandler } from './judge-inputs.handler.js';
import { JudgeOutcomesHandler } from './judge-outcomes.handler.js';
import { LabelHistoryStore } from './label-history.store.js';
import { MonitoredModels } from './monitored-models.js';
import { OutcomeObservedConsumer } from './outcome-observed.consumer.js';
import { PaneStore } from './pane.store.js';
import { PredictionExplainedConsumer } from './prediction-explained.consumer.js';
import { PredictionServedConsumer } from './prediction-served.consumer.js';
import { ReferenceStore } from './reference.store.js';
import { References } from './references.js';
import { VerdictByIdController } from './verdict-by-id.controller.js';
import { VerdictStore } from './verdict.store.js';
import { VerdictsController } from './verdicts.controller.js';
import { Watermarks } from './watermarks.js';
import { VersionRegisteredConsumer } from './version-registered.consumer.js';
import { WatchFreshnessTask } from './watch-freshness.task.js';
import { WatchErrorsTask } from './watch-errors.task.js';

@Module({})
export class DriftMonitoringModule {
  static with(config: DriftMonitoringConfig): DynamicModule {
    return {
      module: DriftMonitoringModule,
      controllers: [VersionRegisteredConsumer, VerdictsController, VerdictByIdController],
      providers: [
        { provide: DriftMonitoringSettings, useValue: config },
        MonitoredModels,
        References,
        PredictionServedConsumer,
        PredictionExplainedConsumer,
        OutcomeObservedConsumer,
        CloseWindowsTask,
        ReferenceStore,
        PaneStore,
        ClosingStore,
        Watermarks,
        VerdictStore,
        ErrorWatchStore,
        LabelHistoryStore,
        JudgeInputsHandler,
        JudgeAttributionsHandler,
        JudgeOutcomesHandler,
        WatchErrorsTask,
        WatchFreshnessTask,
      ],
    };
  }
}
