import { Module, type DynamicModule } from '@nestjs/common';
import { Messaging } from '@millrace/messaging';
import { AdmitVersionsHandler } from './admit-versions.handler.js';
import { CountedUnitStore } from './counted-unit.store.js';
import { CommandRolloutsHandler } from './command-rollouts.handler.js';
import { GuardBatchStore } from './guard-batch.store.js';
import { GuardStore } from './guard.store.js';
import { NoteVerdictsHandler } from './note-verdicts.handler.js';
import { OutcomeObservedConsumer } from './outcome-observed.consumer.js';
import { Policies } from './policies.js';
import { PredictionFailedConsumer } from './prediction-failed.consumer.js';
import { PredictionServedConsumer } from './prediction-served.consumer.js';
import { ReadingStore } from './reading.store.js';
import { RolloutConductor } from './rollout-conductor.js';
import type { RolloutControllerConfig } from './rollout-controller.config.js';
import { RolloutReport } from './rollout-report.js';
import { RolloutStore } from './rollout.store.js';
import { RolloutsController } from './rollouts.controller.js';
import { RoutesUnderWay } from './routes-under-way.js';
import { VerdictIssuedConsumer } from './verdict-issued.consumer.js';
import { VersionRegisteredConsumer } from './version-registered.consumer.js';
import { WatchGuardsHandler } from './watch-guards.handler.js';
import { WeighOutcomesHandler } from './weigh-outcomes.handler.js';

/** The only file that knows every class of this room. */
@Module({})
export class RolloutControllerModule {
  static with(config: RolloutControllerConfig): DynamicModule {
    return {
      module: RolloutControllerModule,
      controllers: [RolloutsController, VersionRegisteredConsumer, OutcomeObservedConsumer, VerdictIssuedConsumer],
      providers: [
        RolloutStore,
        Policies,
        ReadingStore,
        CountedUnitStore,
        { provide: RolloutConductor, useFactory: (store: RolloutStore, policies: Policies, messaging: Messaging, readings: ReadingStore, units: CountedUnitStore) => new RolloutConductor(store, policies, messaging, readings, units, config.stepEveryOutcomes), inject: [RolloutStore, Policies, Messaging, ReadingStore, CountedUnitStore] },
        WeighOutcomesHandler,
        AdmitVersionsHandler,
        NoteVerdictsHandler,
        CommandRolloutsHandler,
        RolloutReport,
        GuardStore,
        GuardBatchStore,
        RoutesUnderWay,
        WatchGuardsHandler,
        PredictionServedConsumer,
        PredictionFailedConsumer,
      ],
    };
  }
}
