import type { FastifyInstance } from 'fastify';
import type { Log } from '../data-plane/log.js';
import type { ExplainInstancesHandler } from '../data-plane/explain-instances.handler.js';
import type { ModelDirectory } from '../data-plane/model-directory.js';
import type { Repository } from '../data-plane/repository.js';
import { sendError, sendJson } from './answers.js';
import { explainRoutes } from './explain.routes.js';
import { openInferenceRoutes } from './open-inference.routes.js';
import { predictRoutes } from './predict.routes.js';
import type { Predictions } from './predictions.js';

export interface EdgeParts {
  readonly models: ModelDirectory;
  readonly predictions: Predictions;
  readonly explainInstances: ExplainInstancesHandler;
  readonly repository: Repository;
  readonly bodyBytesMax: number;
  readonly log: Log;
  ready(): Promise<boolean>;
}

const bytesType = 'application/octet-stream';

/**
 * Everything that answers predictions over HTTP, on Fastify itself: a pipeline between would cost more than the answer.
 * Bodies are bytes whatever their content type says, also when it cannot be read: stock V2 clients send none.
 */
export async function inferenceEdge(scope: FastifyInstance, parts: EdgeParts): Promise<void> {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser(bytesType, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  scope.addHook('onRequest', (request, _reply, done) => {
    request.headers['content-type'] = bytesType;
    done();
  });
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
