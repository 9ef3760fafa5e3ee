import { fileURLToPath } from 'node:url';
import type { RunningServer } from '@millrace/testing';
import { launchServer } from './launch.js';
import { nodeFlags } from './node-flags.js';
import { standaloneScript } from './places.js';

const echoScript = fileURLToPath(new URL('./echo.js', import.meta.url));

export function startEcho(): Promise<RunningServer> {
  return launchServer({ name: 'echo', program: process.execPath, parameters: (port) => [...nodeFlags('echo'), echoScript, String(port)], readyPath: '/ready' });
}

export interface StandaloneChoice {
  readonly name: string;
  readonly models: string;
  readonly further?: readonly string[];
  /** Default: a free one. */
  readonly port?: number | undefined;
}

/** The gateway that stands alone: nothing is logged. */
export function startStandaloneGateway({ name, models, further = [], port }: StandaloneChoice): Promise<RunningServer> {
  return launchServer({ name, program: process.execPath, parameters: (port) => [...nodeFlags(name), standaloneScript, '--models', models, '--port', String(port), ...further], readyPath: '/health/ready', readyDeadlineMs: 120_000 }, port);
}
