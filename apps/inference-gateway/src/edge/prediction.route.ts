import type { FastifyReply, FastifyRequest } from 'fastify';
import type { HttpAnswer } from '@millrace/service';
import type { Log } from '../data-plane/log.js';
import { give, sendError } from './answers.js';
import type { PredictionRequest } from './predictions.js';
import { bodyOf } from './request-body.js';

export interface PredictionRouteParts {
  readonly bodyBytesMax: number;
  readonly log: Log;
}

interface ModelParams {
  readonly model: string;
  readonly version?: string;
}

/** Fastify as a transport of predictions: for all that the lane for plain requests does not take. */
export function predictionRoute({ bodyBytesMax, log }: PredictionRouteParts, answer: (request: PredictionRequest) => Promise<HttpAnswer>): (request: FastifyRequest<{ Params: ModelParams }>, reply: FastifyReply) => void {
  return (request, reply) => {
    const { url, headers, params: { model, version } } = request;
    bodyOf(request, bodyBytesMax)
      .then((body) => answer({ url, model, version, headers, body }))
      .then((given) => give(reply, given))
      .catch((error: unknown) => sendError(error, request, reply, log));
  };
}
