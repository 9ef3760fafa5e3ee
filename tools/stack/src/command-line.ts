import { parseArgs } from 'node:util';
import { MillraceError } from '@millrace/contracts';
import { defaultFolder } from './checkout.js';
import { defaultPortBase } from './ports.js';
import type { ServerName } from './servers.js';

const actions = ['up', 'status', 'stop'] as const;
export type Action = (typeof actions)[number];

export interface CommandLine {
  readonly action: Action;
  readonly portBase: number;
  readonly folder: string;
  /** Servers without services. */
  readonly only: readonly ServerName[] | undefined;
  readonly reset: boolean;
}

export const usage = `Runs Kafka, PostgreSQL and the eight services on this machine, on 127.0.0.1 only.

  node tools/stack/dist/main.js up       start everything and stay until Ctrl-C; data is kept between runs
  node tools/stack/dist/main.js status   what runs in the folder, with addresses and memory
  node tools/stack/dist/main.js stop     stop what \`up\` started in another terminal

  --port-base <n>         first of the stack's ports (default ${defaultPortBase})
  --folder <path>         where data, logs and endpoints.json are kept (default .millrace/run)
  --only kafka,postgres   start these servers and no services
  --reset                 forget what earlier runs kept in the folder
  --help                  this text

KAFKA_BROKERS and DATABASE_URL use existing servers instead of starting them.
`;

/** @throws MillraceError CONFIG_INVALID; `undefined` when help was asked for. */
export function readCommandLine(parameters: readonly string[]): CommandLine | undefined {
  const { values, positionals } = parse(parameters);
  if (values.help === true) return undefined;
  const action = actions.find((candidate) => candidate === (positionals[0] ?? 'up'));
  if (action === undefined || positionals.length > 1) throw new MillraceError('CONFIG_INVALID', `say one of ${actions.join(', ')}; --help tells more`);
  const portBase = values['port-base'] === undefined ? defaultPortBase : Number(values['port-base']);
  return { action, portBase, folder: values.folder ?? defaultFolder, only: serversIn(values.only), reset: values.reset === true };
}

function parse(parameters: readonly string[]) {
  try {
    return parseArgs({
      args: [...parameters],
      allowPositionals: true,
      options: { 'port-base': { type: 'string' }, folder: { type: 'string' }, only: { type: 'string' }, reset: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    });
  } catch (cause) {
    throw new MillraceError('CONFIG_INVALID', `${cause instanceof Error ? cause.message : String(cause)}; --help tells more`, { cause });
  }
}

function serversIn(text: string | undefined): readonly ServerName[] | undefined {
  if (text === undefined) return undefined;
  return text.split(',').map((name) => {
    if (name === 'kafka' || name === 'postgres') return name;
    throw new MillraceError('CONFIG_INVALID', `--only knows kafka and postgres, not ${name}`);
  });
}
