import { Module, type DynamicModule } from '@nestjs/common';
import { Messaging } from '@millrace/messaging';
import { ModelHost } from '@millrace/model-runtime';
import { ServiceLog } from '@millrace/service';
import { openStorage } from '@millrace/storage';
import { ArtifactVersionLoader } from './artifact-version-loader.js';
import { Fallbacks } from './data-plane/fallbacks.js';
import { ExplainInstancesHandler } from './data-plane/explain-instances.handler.js';
import { InferTensorsHandler } from './data-plane/infer-tensors.handler.js';
import { ModelDirectory } from './data-plane/model-directory.js';
import { PredictInstancesHandler } from './data-plane/predict-instances.handler.js';
import { RouteBook } from './data-plane/route-book.js';
import { ServedAnswers } from './data-plane/served-answers.js';
import { ShadowRuns } from './data-plane/shadow-runs.js';
import { InferenceRoutes } from './edge/inference.routes.js';
import { ExplainedAnswers } from './explanation/explained-answers.js';
import { Explanations } from './explanation/explanations.js';
import type { InferenceGatewayConfig } from './inference-gateway.config.js';
import { PredictionLog } from './prediction-log/prediction-log.js';
import { Spool } from './prediction-log/spool/spool.js';
import { RouteChangedFollower } from './route-changed.follower.js';
import { ScoreRecordsHandler } from './score-records.handler.js';
import { StreamScoring } from './stream-scoring.js';

/** The only file that knows every class of this room. */
@Module({})
export class InferenceGatewayModule {
  static with(config: InferenceGatewayConfig): DynamicModule {
    const spool = () => new Spool({ folder: config.spoolFolder, bytesMax: config.spoolMegabytesMax * 1_048_576, nowMs: () => Date.now() });
    const loader = async (host: ModelHost) => new ArtifactVersionLoader((await openStorage(config.storageUrl)).artifacts, host, { rowsMax: config.batchRowsMax, queuedRowsMax: config.queueRowsMax });
    return {
      module: InferenceGatewayModule,
      providers: [
        { provide: Spool, useFactory: spool },
        { provide: ModelHost, useFactory: (log: ServiceLog) => new ModelHost({ log: (level, details, message) => log[level](details, message) }), inject: [ServiceLog] },
        { provide: ArtifactVersionLoader, useFactory: loader, inject: [ModelHost] },
        PredictionLog,
        { provide: ShadowRuns, useFactory: (predictionLog: PredictionLog, log: ServiceLog, messaging: Messaging) => new ShadowRuns(config.shadowQueueMax, predictionLog, log, () => messaging.now()), inject: [PredictionLog, ServiceLog, Messaging] },
        { provide: RouteBook, useFactory: (versions: ArtifactVersionLoader, log: ServiceLog) => new RouteBook(versions, log), inject: [ArtifactVersionLoader, ServiceLog] },
        RouteChangedFollower,
        { provide: ModelDirectory, useFactory: (follower: RouteChangedFollower, routes: RouteBook) => new ModelDirectory(follower, routes), inject: [RouteChangedFollower, RouteBook] },
        { provide: ExplainedAnswers, useFactory: (explanations: Explanations, predictionLog: PredictionLog, log: ServiceLog, messaging: Messaging) => new ExplainedAnswers(explanations, predictionLog, log, () => messaging.now()), inject: [Explanations, PredictionLog, ServiceLog, Messaging] },
        { provide: ServedAnswers, useFactory: (predictionLog: PredictionLog, shadowRuns: ShadowRuns, messaging: Messaging, explained: ExplainedAnswers) => new ServedAnswers(predictionLog, shadowRuns, () => messaging.now(), explained), inject: [PredictionLog, ShadowRuns, Messaging, ExplainedAnswers] },
        { provide: Fallbacks, useFactory: (models: ModelDirectory, log: ServiceLog) => new Fallbacks(models, log), inject: [ModelDirectory, ServiceLog] },
        { provide: PredictInstancesHandler, useFactory: (models: ModelDirectory, answers: ServedAnswers, fallbacks: Fallbacks) => new PredictInstancesHandler(models, answers, fallbacks), inject: [ModelDirectory, ServedAnswers, Fallbacks] },
        { provide: InferTensorsHandler, useFactory: (models: ModelDirectory, answers: ServedAnswers, fallbacks: Fallbacks) => new InferTensorsHandler(models, answers, fallbacks), inject: [ModelDirectory, ServedAnswers, Fallbacks] },
        { provide: Explanations, useFactory: (log: ServiceLog) => new Explanations(log), inject: [ServiceLog] },
        { provide: ExplainInstancesHandler, useFactory: (models: ModelDirectory, explanations: Explanations) => new ExplainInstancesHandler(models, explanations), inject: [ModelDirectory, Explanations] },
        ScoreRecordsHandler,
        StreamScoring,
        InferenceRoutes,
      ],
    };
  }
}
