import { Module, type DynamicModule } from '@nestjs/common';
import { Messaging } from '@millrace/messaging';
import { OnnxModelRuntime } from '@millrace/model-runtime';
import { ServiceLog } from '@millrace/service';
import { openStorage } from '@millrace/storage';
import { InferTensorsHandler } from './infer-tensors.handler.js';
import type { InferenceGatewayConfig } from './inference-gateway.config.js';
import { InferenceRoutes } from './inference.routes.js';
import { ModelDirectory } from './model-directory.js';
import { ModelsController } from './models.controller.js';
import { OpenInferenceController } from './open-inference.controller.js';
import { PredictInstancesHandler } from './predict-instances.handler.js';
import { PredictionLog } from './prediction-log.js';
import { decodePredictionLines } from './prediction-line.js';
import { RouteBook } from './route-book.js';
import { RouteChangedFollower } from './route-changed.follower.js';
import { ServedAnswers } from './served-answers.js';
import { VersionLoader } from './serving-version.js';
import { ShadowRuns } from './shadow-runs.js';
import { Spool } from './spool/spool.js';

/** The only file that knows every class of this room. */
@Module({})
export class InferenceGatewayModule {
  static with(config: InferenceGatewayConfig): DynamicModule {
    const spool = () => new Spool({ folder: config.spoolFolder, bytesMax: config.spoolMegabytesMax * 1_048_576, nowMs: () => Date.now(), decode: decodePredictionLines });
    const loader = async () => new VersionLoader((await openStorage(config.storageUrl)).artifacts, new OnnxModelRuntime(), { rowsMax: config.batchRowsMax, queuedRowsMax: config.queueRowsMax });
    return {
      module: InferenceGatewayModule,
      controllers: [ModelsController, OpenInferenceController],
      providers: [
        { provide: Spool, useFactory: spool },
        { provide: VersionLoader, useFactory: loader },
        PredictionLog,
        { provide: ShadowRuns, useFactory: (predictionLog: PredictionLog, log: ServiceLog, messaging: Messaging) => new ShadowRuns(config.shadowQueueMax, predictionLog, log, () => messaging.now()), inject: [PredictionLog, ServiceLog, Messaging] },
        RouteBook,
        RouteChangedFollower,
        ModelDirectory,
        { provide: ServedAnswers, useFactory: (predictionLog: PredictionLog, shadowRuns: ShadowRuns, messaging: Messaging) => new ServedAnswers(predictionLog, shadowRuns, () => messaging.now()), inject: [PredictionLog, ShadowRuns, Messaging] },
        PredictInstancesHandler,
        InferTensorsHandler,
        InferenceRoutes,
      ],
    };
  }
}
