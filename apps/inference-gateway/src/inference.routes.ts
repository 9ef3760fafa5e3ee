import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { MillraceError } from '@millrace/contracts';
import { ServiceLog } from '@millrace/service';
import { InferTensorsHandler } from './infer-tensors.handler.js';
import { PredictInstancesHandler } from './predict-instances.handler.js';
import { traceparentOf } from './prediction-line.js';

interface ModelParams {
  readonly model: string;
  readonly version?: string;
}

/**
 * The two routes that carry the load, registered with Fastify itself, because Nest’s pipeline costs more than the answer.
 * Bodies are JSON whatever their content type says: stock V2 clients send none.
 */
@Injectable()
export class InferenceRoutes implements OnModuleInit {
  constructor(
    private readonly adapterHost: HttpAdapterHost,
    private readonly predictInstances: PredictInstancesHandler,
    private readonly inferTensors: InferTensorsHandler,
    private readonly log: ServiceLog,
  ) {}

  async onModuleInit(): Promise<void> {
    const fastify = this.adapterHost.httpAdapter.getInstance<FastifyInstance>();
    await fastify.register(async (scope) => {
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser('*', { parseAs: 'string' }, parseJson);
      scope.setErrorHandler((error, request, reply) => this.fail(error, request, reply));
      scope.post<{ Params: ModelParams }>('/v1/models/:model/predict', (request, reply) => {
        this.predictInstances.handle(request.params.model, request.body, traceparentOf(request.headers.traceparent)).then(
          (answer) => sendJson(reply, 200, JSON.stringify(answer)),
          (error: unknown) => this.fail(error, request, reply),
        );
      });
      const infer = (request: FastifyRequest<{ Params: ModelParams }>, reply: FastifyReply): void => {
        this.inferTensors.handle(request.params.model, request.params.version, request.body, traceparentOf(request.headers.traceparent)).then(
          (answer) => sendJson(reply, 200, answer),
          (error: unknown) => this.fail(error, request, reply),
        );
      };
      scope.post('/v2/models/:model/infer', infer);
      scope.post('/v2/models/:model/versions/:version/infer', infer);
    });
  }

  private fail(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const known = asMillraceError(error);
    if (known.httpStatus >= 500 && !known.retryable) this.log.error({ err: error, method: request.method, url: request.url }, known.message);
    // V2 clients know one member; our own edge tells the code and every mistake too.
    sendJson(reply, known.httpStatus, JSON.stringify(request.url.startsWith('/v2') ? { error: known.message } : known.toBody()));
  }
}

/** As bytes: Fastify leaves their content type alone, and V2 clients compare it with `application/json` exactly. */
function sendJson(reply: FastifyReply, status: number, json: string): void {
  void reply.code(status).header('content-type', 'application/json').send(Buffer.from(json));
}

function parseJson(_request: FastifyRequest, body: string | Buffer, done: (error: Error | null, value?: unknown) => void): void {
  try {
    done(null, JSON.parse(body.toString()));
  } catch (cause) {
    const bare = /[:[,]\s*-?(NaN|Infinity)\b/.exec(body.toString());
    if (bare === null) done(new MillraceError('REQUEST_INVALID', `the request is no JSON: ${cause instanceof Error ? cause.message : String(cause)}`, { cause }));
    else done(new MillraceError('FEATURE_NOT_FINITE', `the request holds ${bare[1]}, which is no JSON; send null for an unknown value`, { cause }));
  }
}

function asMillraceError(error: unknown): MillraceError {
  if (error instanceof MillraceError) return error;
  if (typeof error === 'object' && error !== null && 'statusCode' in error && typeof error.statusCode === 'number' && error.statusCode < 500) {
    return new MillraceError(error.statusCode === 413 ? 'REQUEST_TOO_LARGE' : 'REQUEST_INVALID', error instanceof Error ? error.message : String(error));
  }
  return new MillraceError('INTERNAL', 'The request failed for a reason of our own; it was logged.', { cause: error });
}
