import './engine-flags.js';
import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { MillraceError } from '@millrace/contracts';
import type { Log } from './data-plane/log.js';
import { startStandalone, type StandaloneServer } from './standalone/standalone-server.js';

const usage = `Serves ONNX models from a folder over HTTP: the Open Inference Protocol (V2) and rows of named features.
Needs no Kafka and no PostgreSQL; keeps nothing.

  --models <folder>       <name>/<version>/model.onnx, versions numeric or semantic; the newest is the default;
                          an optional model.yaml beside a file or its versions says limits, batching, task and feature names
  --port <p>              default 8080; 0 takes a free one
  --host <address>        default 127.0.0.1; 0.0.0.0 to be seen from elsewhere
  --repository-control    allow models to be loaded and unloaded by POST /v2/repository/models/<name>/load|unload
  --watch                 look at the folder again every second, and serve what has changed
  --body-limit-mb <n>     default 64
  --workers <n>           processes that hold models; default: two more than there are cores
  --drain-ms <n>          time that clients get to move elsewhere on SIGTERM, default 500; three times as long while some who asked lately have not heard it
  --json                  log lines as JSON
  --help

Examples:
  npm run gateway -- --models ./models
  npx millrace serve ./models --port 9000 --watch
  curl localhost:8080/v2/models/iris/infer -d '{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":[5.1,3.5,1.4,0.2]}]}'
`;

const options = {
  models: { type: 'string' }, port: { type: 'string', default: '8080' }, host: { type: 'string', default: '127.0.0.1' },
  'repository-control': { type: 'boolean', default: false }, watch: { type: 'boolean', default: false }, 'body-limit-mb': { type: 'string', default: '64' },
  workers: { type: 'string' }, 'drain-ms': { type: 'string', default: '500' }, json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false, short: 'h' },
} as const;

function count(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/u.test(text) && value >= least && value <= most) return value;
  throw new MillraceError('CONFIG_INVALID', `--${name} must be a number from ${least} to ${most}, not ${text}`);
}

function folderOf(path: string | undefined): string {
  if (path === undefined) throw new MillraceError('CONFIG_INVALID', '--models <folder> is missing; --help shows what it holds');
  const folder = resolve(process.env['INIT_CWD'] ?? '.', path);
  if (!existsSync(folder) || !statSync(folder).isDirectory()) throw new MillraceError('CONFIG_INVALID', `--models ${folder} is no folder`);
  return folder;
}

function terminalLog(json: boolean): Log {
  const line = (level: string) => (details: object, message: string): void => {
    const { err, ...rest } = details as { err?: unknown };
    const because = err instanceof Error && !message.includes(err.message) ? `: ${err.message}` : '';
    process.stderr.write(json ? `${JSON.stringify({ level, time: new Date().toISOString(), ...rest, ...(err instanceof Error ? { error: err.message } : {}), msg: message })}\n` : `${level === 'info' ? '' : `${level}: `}${message}${because}\n`);
  };
  return { debug: () => undefined, info: json ? line('info') : () => undefined, warn: line('warn'), error: line('error') };
}

function announce({ url, models, startedInMs }: StandaloneServer): void {
  const lines = models.index().map(({ name, version, state, reason }) => `  ${name} ${version ?? ''} ${state.toLowerCase()}${reason === '' ? '' : `: ${reason}`}`);
  const [first] = models.index().filter(({ state }) => state === 'READY');
  const hint = first === undefined ? '' : `\nAsk it:   curl ${url}/v2/models/${first.name}\nPage:     ${url}/v1/models/${first.name}/docs\n`;
  process.stdout.write(`${lines.join('\n')}\nServing ${url} after ${(startedInMs / 1_000).toFixed(1)} s${hint === '' ? '\n' : hint}`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({ args: process.argv.slice(2), options });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const server = await startStandalone(
    {
      folder: folderOf(values.models),
      host: values.host,
      port: count('port', values.port, 0, 65_535),
      repositoryControl: values['repository-control'],
      bodyBytesMax: count('body-limit-mb', values['body-limit-mb'], 1, 2_000) * 1_048_576,
      watchMs: values.watch ? 1_000 : 0,
      ...(values.workers === undefined ? {} : { workersMax: count('workers', values.workers, 1, 256) }),
      drainMs: count('drain-ms', values['drain-ms'], 0, 600_000),
    },
    terminalLog(values.json),
  );
  announce(server);
  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(1);
    stopping = true;
    server.stop().then(() => process.exit(0), () => process.exit(1));
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
}

main().catch((error: unknown) => {
  const reason = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${error instanceof MillraceError ? `${error.code}: ` : ''}${reason}\n`);
  process.exit(error instanceof MillraceError && error.code === 'CONFIG_INVALID' ? 64 : 1);
});
