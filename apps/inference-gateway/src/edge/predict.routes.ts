import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ModelDirectory } from '../data-plane/model-directory.js';
import { sendError, sendJson } from './answers.js';
import { place } from './methods.js';
import { modelDocument, modelPage } from './model-page.js';
import { predictionRoute, type PredictionRouteParts } from './prediction.route.js';
import type { Predictions } from './predictions.js';

export interface PredictParts extends PredictionRouteParts {
  readonly models: ModelDirectory;
  readonly predictions: Predictions;
}

interface ModelParams {
  readonly model: string;
}

/** `/v1/models`: rows of named features, for applications; the caller has registered a parser that leaves bodies as bytes. */
export function predictRoutes(scope: FastifyInstance, parts: PredictParts): void {
  const { models, predictions, log } = parts;
  const guarded = (request: FastifyRequest, reply: FastifyReply, work: () => void): void => {
    try {
      work();
    } catch (error) {
      sendError(error, request, reply, log);
    }
  };
  place(scope, '/v1/models', { GET: (_request, reply) => sendJson(reply, 200, { models: models.models().map((model) => models.describe(model)) }) });
  place<ModelParams>(scope, '/v1/models/:model', { GET: (request, reply) => guarded(request, reply, () => sendJson(reply, 200, models.describe(request.params.model))) });
  place<ModelParams>(scope, '/v1/models/:model/openapi.json', { GET: (request, reply) => guarded(request, reply, () => sendJson(reply, 200, modelDocument(request.params.model, models.liveRoute(request.params.model)))) });
  place<ModelParams>(scope, '/v1/models/:model/docs', {
    GET: (request, reply) => guarded(request, reply, () => void reply.type('text/html; charset=utf-8').send(modelPage(request.params.model, models.liveRoute(request.params.model), `http://${request.headers.host ?? 'localhost'}`))),
  });

  place<ModelParams>(scope, '/v1/models/:model/predict', { POST: predictionRoute(parts, (request) => predictions.predict(request)) });
}
