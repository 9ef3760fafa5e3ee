import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const checkout = fileURLToPath(new URL('../..', import.meta.url)).replace(/[/\\]$/, '');
const millrace = join(checkout, '.millrace');

/** Everything the set-up makes lies in .millrace and node_modules. */
export const places = {
  checkout,
  millrace,
  stamps: join(millrace, 'stamps'),
  logs: join(millrace, 'logs', 'bootstrap'),
  lock: join(millrace, 'bootstrap.lock'),
  node: join(checkout, 'node_modules', '.bin', 'node'),
  kafkaPom: join(checkout, 'tools', 'bootstrap', 'kafka', 'pom.xml'),
  kafkaJars: join(millrace, 'kafka', 'libs'),
  venv: join(millrace, 'venv'),
  python: join(millrace, 'venv', 'bin', 'python'),
  trainer: join(checkout, 'trainers', 'tabular'),
  clientsVenv: join(millrace, 'clients-venv'),
  clientsPython: join(millrace, 'clients-venv', 'bin', 'python'),
  clients: join(checkout, 'tools', 'v2-conformance', 'clients'),
  flightsExample: join(checkout, 'examples', 'flights'),
  flights: join(millrace, 'flights'),
};
