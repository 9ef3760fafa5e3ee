import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { Connections, Readiness, ServiceLog } from '@millrace/service';
import { ExplainInstancesHandler } from '../data-plane/explain-instances.handler.js';
import { InferTensorsHandler } from '../data-plane/infer-tensors.handler.js';
import { ModelDirectory } from '../data-plane/model-directory.js';
import { PredictInstancesHandler } from '../data-plane/predict-instances.handler.js';
import { RouteBook } from '../data-plane/route-book.js';
import { inferenceEdge } from './inference.edge.js';
import { plainRoutes } from './plain-routes.js';
import { Predictions } from './predictions.js';
import { routedRepository } from './routed-repository.js';

/** Hangs the edge into Nest’s own Fastify. */
@Injectable()
export class InferenceRoutes implements OnModuleInit {
  constructor(
    private readonly adapterHost: HttpAdapterHost,
    private readonly models: ModelDirectory,
    private readonly routes: RouteBook,
    readonly predictInstances: PredictInstancesHandler,
    readonly inferTensors: InferTensorsHandler,
    private readonly explainInstances: ExplainInstancesHandler,
    private readonly readiness: Readiness,
    private readonly connections: Connections,
    readonly log: ServiceLog,
  ) {}

  async onModuleInit(): Promise<void> {
    const fastify = this.adapterHost.httpAdapter.getInstance<FastifyInstance>();
    const { models, explainInstances, readiness, log } = this;
    const predictions = new Predictions(this);
    const bodyBytesMax = fastify.initialConfig.bodyLimit ?? 1_048_576;
    await fastify.register((scope) =>
      inferenceEdge(scope, {
        models, predictions, explainInstances, bodyBytesMax, log,
        repository: routedRepository(models, this.routes),
        ready: async () => (await readiness.report()).ready,
      }),
    );
    this.connections.answerPlain({ routes: plainRoutes(predictions), bodyBytesMax, failed: (error) => log.error({ err: error }, 'a plain request failed unexpectedly') });
  }
}
