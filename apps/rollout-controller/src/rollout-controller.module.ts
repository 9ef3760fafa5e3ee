import { Module, type DynamicModule } from '@nestjs/common';
import { AdmitVersionsHandler } from './admit-versions.handler.js';
import { CommandRolloutsHandler } from './command-rollouts.handler.js';
import { NoteVerdictsHandler } from './note-verdicts.handler.js';
import { OutcomeObservedConsumer } from './outcome-observed.consumer.js';
import { Policies } from './policies.js';
import { RolloutConductor } from './rollout-conductor.js';
import type { RolloutControllerConfig } from './rollout-controller.config.js';
import { RolloutReport } from './rollout-report.js';
import { RolloutStore } from './rollout.store.js';
import { RolloutsController } from './rollouts.controller.js';
import { VerdictIssuedConsumer } from './verdict-issued.consumer.js';
import { VersionRegisteredConsumer } from './version-registered.consumer.js';
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
        RolloutConductor,
        AdmitVersionsHandler,
        NoteVerdictsHandler,
        CommandRolloutsHandler,
        RolloutReport,
        { provide: WeighOutcomesHandler, useFactory: (store: RolloutStore, conductor: RolloutConductor) => new WeighOutcomesHandler(store, conductor, config.stepEveryOutcomes), inject: [RolloutStore, RolloutConductor] },
      ],
    };
  }
}
