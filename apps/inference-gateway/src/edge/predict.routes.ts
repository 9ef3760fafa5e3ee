import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Log } from '../data-plane/log.js';
import type { ModelDirectory } from '../data-plane/model-directory.js';
import type { PredictInstancesHandler } from '../data-plane/predict-instances.handler.js';
import { sendError, sendJson, sendText } from './answers.js';
import { place } from './methods.js';
import { modelDocument, modelPage } from './model-page.js';
import { inflatedBody, parseJson, plainBody } from './request-body.js';
import { traceparentOf } from './traceparent.js';

export interface PredictParts {
  readonly models: ModelDirectory;
  readonly predictInstances: PredictInstancesHandler;
  readonly bodyBytesMax: number;
  readonly log: Log;
}

interface ModelParams {
  readonly model: string;
}

/** `/v1/models`: rows of named features, for applications; the caller has registered a parser that leaves bodies as bytes. */
export function predictRoutes(scope: FastifyInstance, { models, predictInstances, bodyBytesMax, log }: PredictParts): void {
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

  const answer = (request: FastifyRequest<{ Params: ModelParams }>, reply: FastifyReply, body: Buffer): void => {
    predictInstances.handle(request.params.model, parseJson(body), traceparentOf(request.headers.traceparent)).then(
      (text) => sendText(request, reply, text),
      (error: unknown) => sendError(error, request, reply, log),
    );
  };
  place<ModelParams>(scope, '/v1/models/:model/predict', {
    POST: (request, reply) => {
      const body = plainBody(request);
      if (body !== undefined) guarded(request, reply, () => answer(request, reply, body));
      else inflatedBody(request, bodyBytesMax).then((inflated) => guarded(request, reply, () => answer(request, reply, inflated)), (error: unknown) => sendError(error, request, reply, log));
    },
  });
}
