import type { FastifyInstance } from 'fastify';
import type { Log } from '../data-plane/log.js';
import type { ExplainInstancesHandler } from '../data-plane/explain-instances.handler.js';
import type { InferTensorsHandler } from '../data-plane/infer-tensors.handler.js';
import type { ModelDirectory } from '../data-plane/model-directory.js';
import type { PredictInstancesHandler } from '../data-plane/predict-instances.handler.js';
import type { Repository } from '../data-plane/repository.js';
import { sendError, sendJson } from './answers.js';
import { explainRoutes } from './explain.routes.js';
import { openInferenceRoutes } from './open-inference.routes.js';
import { predictRoutes } from './predict.routes.js';

export interface EdgeParts {
  readonly models: ModelDirectory;
  readonly predictInstances: PredictInstancesHandler;
  readonly inferTensors: InferTensorsHandler;
  readonly explainInstances: ExplainInstancesHandler;
  readonly repository: Repository;
  readonly bodyBytesMax: number;
  readonly log: Log;
  ready(): Promise<boolean>;
}

/**
 * Everything that answers predictions over HTTP, on Fastify itself: a pipeline between would cost more than the answer.
 * Bodies are bytes whatever their content type says: stock V2 clients send none.
 */
export async function inferenceEdge(scope: FastifyInstance, parts: EdgeParts): Promise<void> {
  scope.removeAllContentTypeParsers();
  // The usual types by name, although `*` takes them too: Fastify parses the header anew for each request that only `*` takes.
  scope.addContentTypeParser(['application/json', 'application/octet-stream', '*'], { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  scope.setErrorHandler((error, request, reply) => sendError(error, request, reply, parts.log));
  predictRoutes(scope, parts);
  explainRoutes(scope, parts);
  await scope.register(
    async (v2) => {
      v2.setNotFoundHandler((request, reply) => sendJson(reply, 404, { error: `${request.method} ${request.url} is no place of the Open Inference Protocol` }));
      openInferenceRoutes(v2, parts);
    },
    { prefix: '/v2' },
  );
}
