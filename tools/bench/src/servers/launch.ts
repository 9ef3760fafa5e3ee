import { join } from 'node:path';
import { launch, type RunningServer, type ServerDefinition } from '@millrace/testing';
import { logFolder } from './places.js';

export type BenchServer = Omit<ServerDefinition, 'log'>;

/** Starts a server whose log lies with those of the others. */
export function launchServer(definition: BenchServer, port?: number): Promise<RunningServer> {
  return launch({ ...definition, log: join(logFolder, `${definition.name.replaceAll(/[^\w.-]+/gu, '-')}.log`) }, port);
}
