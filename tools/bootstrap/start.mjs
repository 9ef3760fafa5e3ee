import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as util from 'node:util';
import { bootstrap } from './bootstrap.mjs';
import { runOnNode24 } from './child.mjs';
import { places } from './places.mjs';

const usage = `Sets up what is missing, starts the stack, and tells the flights story on it.

  npm start                          the story, then the stack stays up until Ctrl-C
  npm start -- --exit                ends after the story; status 0 only if every step of it happened
  npm start -- --port-base 9000      Kafka on 9000, PostgreSQL on 9002, services from 9010 (default 7400)
  npm start -- --no-story            only the stack, data kept between runs
  npm start -- --check-boards        after the story, ask each Grafana panel’s query of a Prometheus
  npm start -- --reset               forget what earlier runs kept
  KAFKA_BROKERS=… DATABASE_URL=… npm start    use existing servers instead of starting them
`;

const options = { exit: { type: 'boolean' }, 'port-base': { type: 'string' }, reset: { type: 'boolean' }, 'no-story': { type: 'boolean' }, 'check-boards': { type: 'boolean' }, help: { type: 'boolean', short: 'h' } };

/** Mistakes are said before anything is set up. */
function readParameters(parameters) {
  const { values } = util.parseArgs({ args: parameters, options });
  const base = values['port-base'];
  if (base !== undefined && !/^\d{4,5}$/.test(base)) throw new Error(`--port-base must be a number such as 7400, not ${base}`);
  return values;
}

async function main() {
  const parameters = process.argv.slice(2);
  // Node before 18.3 has no parseArgs: the set-up then says that Node 20 is missing.
  if (util.parseArgs !== undefined && readParameters(parameters).help) {
    process.stdout.write(usage);
    return 0;
  }
  await bootstrap();
  const story = join(places.flightsExample, 'dist', 'main.js');
  if (!existsSync(story)) throw new Error(`${story} is missing although the build succeeded; delete examples/flights/dist and try again`);
  return runOnNode24(story, parameters);
}

main().then(
  (code) => process.exit(code),
  (error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  },
);
