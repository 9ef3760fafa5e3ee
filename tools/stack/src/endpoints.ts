import { mkdir, readFile, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { MillraceError, type ServiceName } from '@millrace/contracts';
import { writeAtomically } from './ledger.js';

/** Where a running stack can be reached; written when it is ready, removed when it stops. */
export interface Endpoints {
  /** Bootstrap servers, host:port, separated by commas. */
  readonly kafka: string;
  readonly postgres: string;
  readonly storage: string;
  readonly services: Readonly<Partial<Record<ServiceName, string>>>;
  readonly portBase: number;
  /** The process that holds the stack. */
  readonly pid: number;
}

export function endpointsPath(folder: string): string {
  return join(folder, 'endpoints.json');
}

/**
 * A stack that is kept in a folder of `.millrace` is also announced one level up, at `.millrace/endpoints.json`, which is
 * where the command looks. The stack that got ready last is the one it finds.
 */
function announcementPath(folder: string): string | undefined {
  const parent = dirname(resolve(folder));
  return basename(parent) === '.millrace' ? endpointsPath(parent) : undefined;
}

export async function writeEndpoints(folder: string, endpoints: Endpoints): Promise<void> {
  await mkdir(folder, { recursive: true });
  const text = `${JSON.stringify(endpoints, undefined, 2)}\n`;
  await writeAtomically(endpointsPath(folder), text);
  const announcement = announcementPath(folder);
  if (announcement !== undefined) await writeAtomically(announcement, text);
}

/** Takes back what was announced for this folder; the announcement of another stack is left alone. */
export async function removeEndpoints(folder: string): Promise<void> {
  const announcement = announcementPath(folder);
  if (announcement !== undefined) {
    const [own, announced] = await Promise.all([readFile(endpointsPath(folder), 'utf8').catch(() => undefined), readFile(announcement, 'utf8').catch(() => undefined)]);
    if (own !== undefined && own === announced) await rm(announcement, { force: true });
  }
  await rm(endpointsPath(folder), { force: true });
}

/** `undefined`: no stack has announced itself in this folder. @throws MillraceError CONFIG_INVALID for a file that is no endpoints file. */
export async function readEndpoints(folder: string): Promise<Endpoints | undefined> {
  const path = endpointsPath(folder);
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const found = JSON.parse(text) as Partial<Endpoints>;
    if (typeof found.kafka !== 'string' || typeof found.postgres !== 'string' || typeof found.services !== 'object') throw new Error('kafka, postgres or services is missing');
    return found as Endpoints;
  } catch (cause) {
    throw new MillraceError('CONFIG_INVALID', `${path} is no endpoints file; delete it and start the stack again`, { cause });
  }
}
