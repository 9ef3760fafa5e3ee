import { Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import { Readiness } from '@millrace/service';
import { openStorage, type Storage } from '@millrace/storage';
import { AliasStore } from './alias.store.js';
import { ApplyContractHandler } from './apply-contract.handler.js';
import { ApplySpecHandler } from './apply-spec.handler.js';
import { ArtifactVault, ARTIFACTS } from './artifact.vault.js';
import { ArtifactsController } from './artifacts.controller.js';
import { ContractStore } from './contract.store.js';
import { ContractsController } from './contracts.controller.js';
import { ModelCards } from './model-card.js';
import type { ModelRegistryConfig } from './model-registry.config.js';
import { ModelsController } from './models.controller.js';
import { MoveAliasesHandler } from './move-aliases.handler.js';
import { RegisterByHandHandler } from './register-by-hand.handler.js';
import { RegisterVersionHandler } from './register-version.handler.js';
import { RolloutStepStore } from './rollout-step.store.js';
import { RouteChangedConsumer } from './route-changed.consumer.js';
import { RunCompletedConsumer } from './run-completed.consumer.js';
import { RunStore } from './run.store.js';
import { SpecStore } from './spec.store.js';
import { StepDecidedConsumer } from './step-decided.consumer.js';
import { VersionStore } from './version.store.js';
import { VersionsController } from './versions.controller.js';

const stores = [ContractStore, SpecStore, VersionStore, RunStore, AliasStore, RolloutStepStore, ArtifactVault];
const handlers = [ApplyContractHandler, ApplySpecHandler, RegisterVersionHandler, RegisterByHandHandler, MoveAliasesHandler, ModelCards];

const STORAGE = Symbol('storage');

@Module({})
export class ModelRegistryModule implements OnApplicationShutdown {
  constructor(
    host: HttpAdapterHost<FastifyAdapter>,
    readiness: Readiness,
    @Inject(STORAGE) private readonly storage: Storage,
  ) {
    readiness.add('storage', async () => {
      await storage.check();
      return true as const;
    });
    // Artifacts come as raw bytes; Fastify refuses content types that it does not know.
    host.httpAdapter.useBodyParser('application/octet-stream', true, {}, (_request, body, done) => done(null, body));
  }

  async onApplicationShutdown(): Promise<void> {
    await this.storage.close();
  }

  static with(config: ModelRegistryConfig): DynamicModule {
    return {
      module: ModelRegistryModule,
      controllers: [ContractsController, ModelsController, VersionsController, ArtifactsController, RunCompletedConsumer, RouteChangedConsumer, StepDecidedConsumer],
      providers: [
        ...stores,
        ...handlers,
        { provide: STORAGE, useFactory: () => openStorage(config.storageUrl) },
        { provide: ARTIFACTS, useFactory: (storage: Storage) => storage.artifacts, inject: [STORAGE] },
      ],
    };
  }
}
