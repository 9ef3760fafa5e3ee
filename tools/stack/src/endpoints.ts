import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
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

export async function writeEndpoints(folder: string, endpoints: Endpoints): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeAtomically(endpointsPath(folder), `${JSON.stringify(endpoints, undefined, 2)}\n`);
}

export async function removeEndpoints(folder: string): Promise<void> {
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
