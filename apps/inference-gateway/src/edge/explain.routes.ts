import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ExplainInstancesHandler } from '../data-plane/explain-instances.handler.js';
import type { Log } from '../data-plane/log.js';
import { compressible, give, sendError } from './answers.js';
import { place } from './methods.js';
import { bodyOf, parseJson } from './request-body.js';

export interface ExplainParts {
  readonly explainInstances: ExplainInstancesHandler;
  readonly bodyBytesMax: number;
  readonly log: Log;
}

interface ModelParams {
  readonly model: string;
}

/** `POST /v1/models/{model}/explain`: which features made an answer. */
export function explainRoutes(scope: FastifyInstance, { explainInstances, bodyBytesMax, log }: ExplainParts): void {
  const answer = async (request: FastifyRequest<{ Params: ModelParams }>, reply: FastifyReply): Promise<void> => {
    const body = await explainInstances.handle(request.params.model, parseJson(await bodyOf(request, bodyBytesMax)));
    give(reply, await compressible({ status: 200, contentType: 'application/json', body }, request.headers));
  };
  place<ModelParams>(scope, '/v1/models/:model/explain', { POST: (request, reply) => void answer(request, reply).catch((error: unknown) => sendError(error, request, reply, log)) });
}
