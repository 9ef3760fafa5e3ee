import { pathToFileURL } from 'node:url';
import * as util from 'node:util';
import { endCommands } from './command.mjs';
import { takeLock } from './lock.mjs';
import { places } from './places.mjs';
import { describeMissing, findMissing, thisMachine } from './requirements.mjs';
import { describeFailure, runSteps, StepFailed } from './run-steps.mjs';
import { allSteps } from './steps.mjs';

const usage = `Sets up everything Millrace needs, inside this folder: node_modules and .millrace.

  node tools/bootstrap/bootstrap.mjs                     all steps; what is already there is skipped
  node tools/bootstrap/bootstrap.mjs --only kafka,build  some steps: packages, kafka, trainer, flights, build
  node tools/bootstrap/bootstrap.mjs --only clients      what only the conformance run needs: stock clients of Triton and KServe
  node tools/bootstrap/bootstrap.mjs --help              this text
`;

const tell = (line) => process.stdout.write(`${line}\n`);

/**
 * Checks the machine, then runs the steps, one process at a time. Exits 1 with the reason when that is not possible.
 * @param {{ only?: readonly string[], say?: (line: string) => void }} options
 */
export async function bootstrap({ only, say = tell } = {}) {
  const missing = findMissing(thisMachine(), process.env, only);
  if (missing.length > 0) {
    process.stderr.write(describeMissing(missing));
    process.exit(1);
  }
  const steps = allSteps(process.env).filter(({ name, onDemand }) => only === undefined ? !onDemand : only.includes(name));
  const release = await takeLock(places.lock, { onWait: (pid) => say(`another set-up runs (process ${pid}); waiting for it`) });
  const interrupted = () => process.exit(130);
  const leave = () => {
    endCommands();
    release();
  };
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted).once('exit', leave);
  try {
    await runSteps(steps, { logs: places.logs, say });
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    process.stderr.write(describeFailure(error, places.logs));
    process.exit(1);
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted).off('exit', leave);
    release();
  }
}

async function main() {
  const { values } = util.parseArgs({ options: { only: { type: 'string' }, help: { type: 'boolean', short: 'h' } } });
  if (values.help) return tell(usage);
  const only = values.only?.split(',');
  const known = ['packages', 'kafka', 'trainer', 'flights', 'clients', 'build'];
  const unknown = only?.filter((name) => !known.includes(name)) ?? [];
  if (unknown.length > 0) {
    process.stderr.write(`There is no step ${unknown.join(', ')}; the steps are ${known.join(', ')}.\n`);
    process.exit(2);
  }
  await bootstrap({ only });
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  main().catch((error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  });
}
