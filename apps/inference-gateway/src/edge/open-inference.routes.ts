import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { MillraceError } from '@millrace/contracts';
import { modelConfig, modelMetadata, modelStatistics, repositoryIndex, serverMetadata } from '@millrace/core/inference';
import type { ServingVersion } from '../data-plane/serving-version.js';
import { sendError, sendJson } from './answers.js';
import type { EdgeParts } from './inference.edge.js';
import { place } from './methods.js';
import { predictionRoute } from './prediction.route.js';
import { bodyOf, parseJson } from './request-body.js';

interface ModelParams {
  readonly model: string;
  readonly version?: string;
}
type ModelRequest = FastifyRequest<{ Params: ModelParams }>;

/** As ModelLimits of libs/platform/model-runtime has it. */
const rowsMaxDefault = 1_024;

const extensions = ['binary_tensor_data', 'statistics', 'model_configuration', 'parameters', 'schedule_policy'];

/**
 * The Open Inference Protocol (V2) with its extensions, under `/v2`. Stock clients want status 200, a content type of exactly
 * `application/json` and errors as `{error}`; both `live` and `ready` in both health answers serve all of them.
 */
export function openInferenceRoutes(scope: FastifyInstance, parts: EdgeParts): void {
  const { log } = parts;
  const guarded = <R extends FastifyRequest>(work: (request: R, reply: FastifyReply) => void | Promise<void>) => (request: R, reply: FastifyReply): void => {
    const fail = (error: unknown): void => sendError(error, request, reply, log);
    try {
      work(request, reply)?.catch(fail);
    } catch (error) {
      fail(error);
    }
  };
  const server = guarded((_request, reply) => sendJson(reply, 200, serverMetadata('millrace', '1', parts.repository.controlled ? [...extensions, 'model_repository'] : extensions)));
  place(scope, '/', { GET: server });
  healthRoutes(scope, parts);
  const infer = predictionRoute(parts, (request) => parts.predictions.infer(request));
  for (const path of ['/models/:model', '/models/:model/versions/:version']) {
    place<ModelParams>(scope, path, { GET: guarded((request: ModelRequest, reply) => sendJson(reply, 200, metadataOf(parts, request.params))) });
    place<ModelParams>(scope, `${path}/ready`, { GET: guarded((request: ModelRequest, reply) => sendReady(parts, request.params, reply)) });
    place<ModelParams>(scope, `${path}/stats`, { GET: guarded((request: ModelRequest, reply) => sendJson(reply, 200, statisticsOf(parts, request.params))) });
    place<ModelParams>(scope, `${path}/config`, { GET: guarded((request: ModelRequest, reply) => sendJson(reply, 200, configOf(parts, request.params))) });
    place<ModelParams>(scope, `${path}/infer`, { POST: infer });
  }
  place(scope, '/models/stats', { GET: guarded((_request, reply) => sendJson(reply, 200, allStatistics(parts))) });
  repositoryRoutes(scope, parts, guarded);
}

function healthRoutes(scope: FastifyInstance, { ready }: EdgeParts): void {
  place(scope, '/health/live', { GET: (_request, reply) => void ready().then((is) => sendJson(reply, 200, { live: true, ready: is })) });
  place(scope, '/health/ready', { GET: (_request, reply) => void ready().then((is) => sendJson(reply, is ? 200 : 503, { live: true, ready: is })) });
}

function sendReady({ models }: EdgeParts, { model, version }: ModelParams, reply: FastifyReply): void {
  const { state, reason } = models.version(model, version).model;
  if (state === 'failed') throw new MillraceError('MODEL_NOT_READY', `the model ${model} is not ready: ${reason ?? state}`);
  sendJson(reply, 200, { name: model, ready: true });
}

function metadataOf({ models }: EdgeParts, { model, version }: ModelParams): object {
  return modelMetadata(model, [...models.liveRoute(model).versions.keys()], models.version(model, version));
}

function configOf({ models }: EdgeParts, { model, version }: ModelParams): object {
  const { inputs, outputs, meaning } = models.version(model, version);
  const { rowsMax = rowsMaxDefault, windowMs, preferredRows } = meaning.limits;
  return modelConfig(model, { inputs, outputs, rowsMax, windowMs, preferredRows, versions: [...models.liveRoute(model).versions.keys()] });
}

const noTime = (count: number): { count: number; ns: number } => ({ count, ns: 0 });

function statisticsOfVersion(name: string, { version, model: { statistics } }: ServingVersion): object {
  // How long a batch took to be put together and taken apart is counted over all batches, not by size.
  const batches = statistics.batches.map(({ rows, count, ns }) => ({ rows, computeInput: noTime(count), computeInfer: { count, ns }, computeOutput: noTime(count) }));
  return modelStatistics(name, version, { ...statistics, batches });
}

function statisticsOf({ models }: EdgeParts, { model, version }: ModelParams): object {
  const versions = version === undefined ? [...models.liveRoute(model).versions.values()] : [models.version(model, version)];
  return { model_stats: versions.map((each) => statisticsOfVersion(model, each)) };
}

function allStatistics({ models }: EdgeParts): object {
  const served = models.models().filter((model) => models.isLive(model));
  return { model_stats: served.flatMap((model) => [...models.liveRoute(model).versions.values()].map((each) => statisticsOfVersion(model, each))) };
}

type Guard = <R extends FastifyRequest>(work: (request: R, reply: FastifyReply) => void | Promise<void>) => (request: R, reply: FastifyReply) => void;

async function jsonBody(request: FastifyRequest, bytesMax: number): Promise<Record<string, unknown>> {
  const body = await bodyOf(request, bytesMax);
  const value = body.length === 0 ? {} : parseJson(body);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new MillraceError('REQUEST_INVALID', 'the request must be a JSON object');
  return value as Record<string, unknown>;
}

function repositoryRoutes(scope: FastifyInstance, { repository, bodyBytesMax }: EdgeParts, guarded: Guard): void {
  const controlled = (): void => {
    if (!repository.controlled) throw new MillraceError('REPOSITORY_NOT_CONTROLLED', 'models are not loaded and unloaded by this call here; start the server with --repository-control, or move traffic through the roll-out');
  };
  place(scope, '/repository/index', {
    POST: guarded(async (request, reply) => {
      const { ready } = await jsonBody(request, bodyBytesMax);
      if (ready !== undefined && typeof ready !== 'boolean') throw new MillraceError('REQUEST_INVALID', 'ready must be true or false');
      sendJson(reply, 200, repositoryIndex(repository.index(), ready === true));
    }),
  });
  place<ModelParams>(scope, '/repository/models/:model/load', {
    POST: guarded(async (request: ModelRequest, reply) => {
      controlled();
      const { parameters } = await jsonBody(request, bodyBytesMax);
      if (parameters !== undefined && (typeof parameters !== 'object' || parameters === null)) throw new MillraceError('REQUEST_INVALID', 'parameters must be an object');
      await repository.load(request.params.model, (parameters ?? {}) as Record<string, unknown>);
      sendJson(reply, 200, {});
    }),
  });
  place<ModelParams>(scope, '/repository/models/:model/unload', {
    POST: guarded(async (request: ModelRequest, reply) => {
      controlled();
      await jsonBody(request, bodyBytesMax);
      await repository.unload(request.params.model);
      sendJson(reply, 200, {});
    }),
  });
}
