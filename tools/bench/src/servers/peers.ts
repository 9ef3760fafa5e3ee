import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Bench } from '../cases/section.js';
import { isWanted, type Subject, type Subjects } from '../cases/subjects.js';
import { inferJson } from '../cases/requests.js';
import { vectorModelBytes } from '../models/model-folder.js';
import { launchServer, type BenchServer } from './launch.js';
import { benchFolder, benchSources } from './places.js';

interface Peer {
  readonly id: string;
  readonly title: string;
  /** Its requirements file and its environment carry this name. */
  readonly environment: string;
  readonly path: string;
  readonly server: (bin: string, folder: string) => Omit<BenchServer, 'name'>;
}

const peerFolder = join(benchFolder, 'peers');
const single = { OMP_NUM_THREADS: '1' };

const fastapi = (workers: number): Peer => ({
  id: `fastapi-${workers}`,
  title: `FastAPI + orjson + onnxruntime, ${workers} worker${workers === 1 ? '' : 's'}`,
  environment: 'fastapi',
  path: '/v2/models/trees/infer',
  server: (bin, folder) => ({
    program: join(bin, 'uvicorn'),
    parameters: (port) => ['fastapi_server:app', '--host', '127.0.0.1', '--port', String(port), '--workers', String(workers), '--log-level', 'error', '--no-access-log', '--loop', 'uvloop', '--http', 'httptools'],
    environment: () => ({ ...single, MODEL_PATH: join(folder, 'model.onnx') }),
    cwd: folder,
    readyPath: '/ready',
    readyDeadlineMs: 60_000,
  }),
});

const mlserver = (id: string, title: string, batching: object): Peer => ({
  id,
  title,
  environment: 'mlserver',
  path: '/v2/models/trees/infer',
  server: (bin, folder) => {
    const own = join(folder, id);
    mkdirSync(own, { recursive: true });
    for (const file of ['mlserver_runtime.py', 'model.onnx']) cpSync(join(folder, file), join(own, file));
    writeFileSync(join(own, 'model-settings.json'), JSON.stringify({ name: 'trees', implementation: 'mlserver_runtime.TreesRuntime', parameters: { uri: './model.onnx' }, ...batching }));
    return {
      program: join(bin, 'mlserver'),
      parameters: () => ['start', own],
      environment: (port) => ({ ...single, PYTHONPATH: own, MLSERVER_HOST: '127.0.0.1', MLSERVER_HTTP_PORT: String(port), MLSERVER_GRPC_PORT: String(port + 1), MLSERVER_METRICS_PORT: String(port + 2), MLSERVER_PARALLEL_WORKERS: '0', MLSERVER_DEBUG: 'false' }),
      cwd: own,
      readyPath: '/v2/models/trees/ready',
      readyDeadlineMs: 90_000,
    };
  },
});

const bentoml: Peer = {
  id: 'bentoml',
  title: 'BentoML 1.4',
  environment: 'bentoml',
  path: '/infer',
  server: (bin, folder) => ({
    program: join(bin, 'bentoml'),
    parameters: (port) => ['serve', 'bentoml_service:Trees', '--host', '127.0.0.1', '--port', String(port)],
    environment: () => ({ ...single, MODEL_PATH: join(folder, 'model.onnx'), BENTOML_HOME: join(folder, 'bentoml-home'), BENTOML_DO_NOT_TRACK: 'True' }),
    cwd: folder,
    readyPath: '/readyz',
    readyDeadlineMs: 90_000,
  }),
};

const peers: readonly Peer[] = [fastapi(1), fastapi(2), mlserver('mlserver', 'MLServer 1.7.1', {}), mlserver('mlserver-batching', 'MLServer 1.7.1, adaptive batching', { max_batch_size: 64, max_batch_time: 0.002 }), bentoml];

const run = promisify(execFile);

/** The environment’s folder of programs; made once per content of its requirements file. */
async function environmentOf(name: string, say: (line: string) => void): Promise<string> {
  const requirements = join(benchSources, 'peers', `requirements-${name}.txt`);
  const folder = join(benchFolder, 'venvs', name);
  const stamp = join(folder, 'millrace-stamp');
  const wanted = createHash('sha256').update(readFileSync(requirements)).digest('hex');
  const bin = join(folder, 'bin');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return bin;
  say(`installing ${name} (once)`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(benchFolder, 'venvs'), { recursive: true });
  await run(process.env['PYTHON'] ?? 'python3', ['-m', 'venv', folder], { maxBuffer: 2 ** 26 });
  await run(join(bin, 'pip'), ['install', '--quiet', '--only-binary', ':all:', '-r', requirements], { maxBuffer: 2 ** 26, timeout: 900_000 });
  writeFileSync(stamp, wanted);
  return bin;
}

/** Every peer that installs and starts; the others are skipped with the reason. */
export async function startPeers(bench: Bench): Promise<Subjects> {
  rmSync(peerFolder, { recursive: true, force: true });
  mkdirSync(peerFolder, { recursive: true });
  cpSync(join(benchSources, 'peers'), peerFolder, { recursive: true });
  writeFileSync(join(peerFolder, 'model.onnx'), vectorModelBytes());
  const list: Subject[] = [];
  for (const { id, title, environment, path, server } of peers.filter((peer) => isWanted(bench.settings, peer.id))) {
    try {
      const bin = await environmentOf(environment, (line) => bench.say(line));
      bench.say(`starting ${title}`);
      list.push({ id, title, server: await launchServer({ name: id, ...server(bin, peerFolder) }), requests: inferJson(path) });
    } catch (error) {
      bench.skip(title, error instanceof Error ? error.message : String(error));
    }
  }
  return { list, stop: async () => void (await Promise.all(list.map((peer) => peer.server.stop()))) };
}
