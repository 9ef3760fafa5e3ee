import { performance } from 'node:perf_hooks';
import fastify, { type FastifyInstance } from 'fastify';
import { collectDefaultMetrics, register } from 'prom-client';
import { ModelHost } from '@millrace/model-runtime';
// Not the package itself: it would bring the whole framework of the ring’s services, 50 MB that nobody here uses.
import { Connections } from '@millrace/service/connections';
import { httpServerOptions, sendElsewhere } from '@millrace/service/http-server';
import { noAnswerLog } from '../data-plane/answer-log.js';
import { Fallbacks } from '../data-plane/fallbacks.js';
import { ExplainInstancesHandler } from '../data-plane/explain-instances.handler.js';
import { InferTensorsHandler } from '../data-plane/infer-tensors.handler.js';
import type { Log } from '../data-plane/log.js';
import { ModelDirectory } from '../data-plane/model-directory.js';
import { PredictInstancesHandler } from '../data-plane/predict-instances.handler.js';
import { RouteBook } from '../data-plane/route-book.js';
import { ServedAnswers } from '../data-plane/served-answers.js';
import type { VersionTarget } from '../data-plane/serving-version.js';
import { inferenceEdge } from '../edge/inference.edge.js';
import { plainRoutes } from '../edge/plain-routes.js';
import { Predictions } from '../edge/predictions.js';
import { Explanations } from '../explanation/explanations.js';
import { ModelFolder } from './model-folder.js';

export interface StandaloneOptions {
  readonly folder: string;
  readonly host: string;
  readonly port: number;
  readonly repositoryControl: boolean;
  readonly bodyBytesMax: number;
  /** Looks at the folder again this often; 0: only when told to. */
  readonly watchMs: number;
  readonly workersMax?: number;
  /** How long clients are given to move elsewhere before the port is closed. */
  readonly drainMs: number;
}

export interface StandaloneServer {
  readonly url: string;
  readonly models: ModelFolder;
  readonly startedInMs: number;
  stop(): Promise<void>;
}

/** The data plane and its HTTP edge over a folder of models: no Kafka, no PostgreSQL, nothing kept. */
export async function startStandalone(options: StandaloneOptions, log: Log): Promise<StandaloneServer> {
  const startedMs = performance.now();
  const host = new ModelHost({ ...(options.workersMax === undefined ? {} : { workersMax: options.workersMax }), log: (level, details, message) => log[level](details, message) });
  const folder = new ModelFolder(options.folder, host, options.repositoryControl, log);
  const routes = new RouteBook<VersionTarget>(folder.loader, log);
  const models = new ModelDirectory(folder, routes);
  const answers = new ServedAnswers(noAnswerLog, null, () => new Date());
  const fallbacks = new Fallbacks(models, log);
  const explanations = new Explanations(log);
  const server = fastify({ ...httpServerOptions, bodyLimit: options.bodyBytesMax, exposeHeadRoutes: true });
  const connections = new Connections(server.server);
  sendElsewhere(server, connections);
  const predictions = new Predictions({ log, predictInstances: new PredictInstancesHandler(models, answers, fallbacks), inferTensors: new InferTensorsHandler(models, answers, fallbacks) });
  await server.register((scope) =>
    inferenceEdge(scope, {
      models, predictions, log, bodyBytesMax: options.bodyBytesMax, repository: folder,
      explainInstances: new ExplainInstancesHandler(models, explanations),
      ready: () => Promise.resolve(!connections.draining),
    }),
  );
  connections.answerPlain({ routes: plainRoutes(predictions), bodyBytesMax: options.bodyBytesMax, failed: (error) => log.error({ err: error }, 'a plain request failed unexpectedly') });
  operations(server, () => !connections.draining);
  const stopHost = async (): Promise<void> => {
    await explanations.stop();
    await routes.close();
    await host.close();
  };
  try {
    await folder.open(routes);
    await server.listen({ host: options.host, port: options.port });
  } catch (error) {
    await stopHost();
    throw error;
  }
  const watch = options.watchMs === 0 ? undefined : setInterval(() => void folder.look().catch((error: unknown) => log.warn({ err: error }, 'the folder of models cannot be read')), options.watchMs);
  return {
    url: server.listeningOrigin,
    models: folder,
    startedInMs: performance.now() - startedMs,
    stop: async () => {
      clearInterval(watch);
      await connections.drain(options.drainMs);
      await server.close();
      await stopHost();
    },
  };
}

function operations(server: FastifyInstance, ready: () => boolean): void {
  if (register.getSingleMetric('process_cpu_user_seconds_total') === undefined) collectDefaultMetrics();
  server.get('/metrics', async (_request, reply) => reply.type(register.contentType).send(await register.metrics()));
  server.get('/health/live', () => ({ live: true }));
  server.get('/health/ready', (_request, reply) => reply.code(ready() ? 200 : 503).send({ ready: ready() }));
}
