import { Module, type DynamicModule } from '@nestjs/common';
import { ExpirePredictionsTask } from './expire-predictions.task.js';
import { JoinLabelsHandler } from './join-labels.handler.js';
import { JoinPredictionsHandler } from './join-predictions.handler.js';
import { LabelAdmittedConsumer } from './label-admitted.consumer.js';
import { ModelSpecs } from './model-specs.js';
import { OutcomeJoiningSettings, type OutcomeJoiningConfig } from './outcome-joining.config.js';
import { PredictionServedConsumer } from './prediction-served.consumer.js';
import { PredictionStore } from './prediction.store.js';
import { PredictionsController } from './predictions.controller.js';
import { RecordStore } from './record.store.js';
import { StreamClockStore } from './stream-clock.store.js';
import { StreamClocks } from './stream-clocks.js';
import { TallyStore } from './tally.store.js';

@Module({})
export class OutcomeJoiningModule {
  static with(config: OutcomeJoiningConfig): DynamicModule {
    return {
      module: OutcomeJoiningModule,
      controllers: [PredictionServedConsumer, LabelAdmittedConsumer, PredictionsController],
      providers: [
        { provide: OutcomeJoiningSettings, useValue: config },
        ModelSpecs,
        JoinPredictionsHandler,
        JoinLabelsHandler,
        ExpirePredictionsTask,
        RecordStore,
        PredictionStore,
        StreamClockStore,
        StreamClocks,
        TallyStore,
      ],
    };
  }
}
