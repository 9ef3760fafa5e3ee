import { resolve } from 'node:path';
import { Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { OnnxModelRuntime } from '@millrace/model-runtime';
import { Readiness } from '@millrace/service';
import { openStorage, type Storage } from '@millrace/storage';
import { AliasMovedConsumer } from './alias-moved.consumer.js';
import { ARTIFACTS } from './artifacts.js';
import { ContractBrokenConsumer } from './contract-broken.consumer.js';
import { DatasetBuilder } from './dataset-builder.js';
import { DatasetStore } from './dataset.store.js';
import { EvaluationStore } from './evaluation.store.js';
import { EvidenceStore } from './evidence.store.js';
import { LearnEvidenceHandler } from './learn-evidence.handler.js';
import { RUNTIME } from './model-runtime.js';
import { ModelsInForce } from './models-in-force.js';
import { PlanStore } from './plan.store.js';
import { RequestRunHandler } from './request-run.handler.js';
import { RunEnd } from './run-end.js';
import { CONCURRENCY, RunStepsWorker, STEPS, type Steps } from './run-steps.worker.js';
import { RunStore } from './run.store.js';
import { RunsController } from './runs.controller.js';
import { SEGMENT_OBJECTS, SegmentFiles } from './segment-files.js';
import { SegmentSealedConsumer } from './segment-sealed.consumer.js';
import { StepStore } from './step.store.js';
import { CheckServingStep } from './steps/check-serving.step.js';
import { CompareStep } from './steps/compare.step.js';
import { EvaluateStep } from './steps/evaluate.step.js';
import { RegisterStep } from './steps/register.step.js';
import { SnapshotStep } from './steps/snapshot.step.js';
import { TRAINER, TrainStep } from './steps/train.step.js';
import { ValidateDataStep } from './steps/validate-data.step.js';
import type { TrainerCommand } from './trainer-process.js';
import type { TrainingOrchestratorConfig } from './training-orchestrator.config.js';
import { VerdictIssuedConsumer } from './verdict-issued.consumer.js';
import { VerificationStore } from './verification.store.js';
import { VerifyRunHandler } from './verify-run.handler.js';
import { VersionRegisteredConsumer } from './version-registered.consumer.js';
import { WeighAtStart } from './weigh-at-start.js';
import { WeighRetrainingHandler } from './weigh-retraining.handler.js';
import { WorkFolder } from './work-folder.js';

const STORAGE = Symbol('storage');

const consumers = [SegmentSealedConsumer, VerdictIssuedConsumer, ContractBrokenConsumer, AliasMovedConsumer, VersionRegisteredConsumer];
const stores = [EvidenceStore, PlanStore, EvaluationStore, StepStore, RunStore, DatasetStore, VerificationStore, SegmentFiles];
const handlers = [LearnEvidenceHandler, WeighRetrainingHandler, RequestRunHandler, VerifyRunHandler];
const steps = [SnapshotStep, ValidateDataStep, TrainStep, EvaluateStep, CompareStep, CheckServingStep, RegisterStep];

type Seven = [SnapshotStep, ValidateDataStep, TrainStep, EvaluateStep, CompareStep, CheckServingStep, RegisterStep];
const pipeline = (...[snapshot, validateData, train, evaluate, compare, checkServing, register]: Seven): Steps => ({
  snapshot, 'validate-data': validateData, train, evaluate, compare, 'check-serving': checkServing, register,
});

@Module({})
export class TrainingOrchestratorModule implements OnApplicationShutdown {
  constructor(
    readiness: Readiness,
    @Inject(STORAGE) private readonly storage: Storage,
  ) {
    readiness.add('storage', async () => {
      await storage.check();
      return true as const;
    });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.storage.close();
  }

  static with(config: TrainingOrchestratorConfig): DynamicModule {
    // A path is meant from where the orchestrator was started, not from the trainer’s folder; a bare name is looked up.
    const executable = config.trainerPython.includes('/') ? resolve(config.trainerPython) : config.trainerPython;
    const trainer: TrainerCommand = { executable, arguments: ['-m', 'millrace_tabular'], cwd: resolve(config.trainerFolder) };
    return {
      module: TrainingOrchestratorModule,
      controllers: [RunsController, ...consumers],
      providers: [
        ModelsInForce, ...stores, ...handlers, ...steps, DatasetBuilder, RunEnd, WeighAtStart, RunStepsWorker,
        { provide: STORAGE, useFactory: () => openStorage(config.storageUrl) },
        { provide: ARTIFACTS, useFactory: (storage: Storage) => storage.artifacts, inject: [STORAGE] },
        { provide: SEGMENT_OBJECTS, useFactory: (storage: Storage) => storage.objects, inject: [STORAGE] },
        { provide: RUNTIME, useFactory: () => new OnnxModelRuntime() },
        { provide: WorkFolder, useValue: new WorkFolder(config.workFolder) },
        { provide: TRAINER, useValue: trainer },
        { provide: CONCURRENCY, useValue: config.concurrency },
        { provide: STEPS, useFactory: pipeline, inject: steps },
      ],
    };
  }
}
