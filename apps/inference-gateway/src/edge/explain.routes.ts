import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ExplainInstancesHandler } from '../data-plane/explain-instances.handler.js';
import type { Log } from '../data-plane/log.js';
import { sendBytes, sendError } from './answers.js';
import { place } from './methods.js';
import { inflatedBody, parseJson, plainBody } from './request-body.js';

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
    const body = plainBody(request) ?? (await inflatedBody(request, bodyBytesMax));
    sendBytes(request, reply, 'application/json', await explainInstances.handle(request.params.model, parseJson(body)));
  };
  place<ModelParams>(scope, '/v1/models/:model/explain', { POST: (request, reply) => void answer(request, reply).catch((error: unknown) => sendError(error, request, reply, log)) });
}
