import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { places } from './places.mjs';

/**
 * What this machine lacks, found before anything is downloaded. A probe answers questions about the machine; the specs pass their own.
 * @typedef {{ platform: string, arch: string, nodeVersion: string, musl: boolean, run: (program: string, parameters: string[]) => string | undefined, exists: (path: string) => boolean }} Probe
 * @typedef {{ what: string, found: string, wayOut: string[] }} Missing
 */

const postgresPlatforms = ['darwin-arm64', 'darwin-x64', 'linux-arm', 'linux-arm64', 'linux-ia32', 'linux-ppc64', 'linux-x64'];
const existingServers = 'or start both with deploy/compose (docker compose) and set KAFKA_BROKERS and DATABASE_URL';

/** @type {() => Probe} */
export function thisMachine() {
  return {
    platform: process.platform,
    arch: process.arch,
    nodeVersion: process.versions.node,
    musl: process.platform === 'linux' && process.report?.getReport().header.glibcVersionRuntime === undefined,
    run: (program, parameters) => {
      const { status, stdout, stderr } = spawnSync(program, parameters, { encoding: 'utf8', timeout: 30_000 });
      return status === 0 ? `${stdout}${stderr}` : undefined;
    },
    exists: existsSync,
  };
}

/** The Python that the trainer's environment is made from. */
export function findPython(probe, environment) {
  const candidates = environment.PYTHON ? [environment.PYTHON] : ['python3', 'python3.13', 'python3.12', 'python3.11'];
  let newest;
  for (const program of candidates) {
    const version = /^Python (\d+)\.(\d+)/.exec(probe.run(program, ['--version']) ?? '');
    if (version === null) continue;
    if (Number(version[1]) === 3 && Number(version[2]) >= 11) return { program, version: `${version[1]}.${version[2]}`, fits: true };
    newest ??= { program, version: `${version[1]}.${version[2]}`, fits: false };
  }
  return newest;
}

const needs = { packages: [missingPlatform, missingNode, missingNpm], kafka: [missingJava, missingMaven], trainer: [missingPython], clients: [missingPython], flights: [missingPostgres] };

/** @param only the steps to be run; default: all. @returns {Missing[]} everything that is missing, not just the first. */
export function findMissing(probe, environment, only = Object.keys(needs)) {
  const checks = Object.entries(needs).filter(([step]) => step === 'packages' || only.includes(step)).flatMap(([, checksOfStep]) => checksOfStep);
  return [...new Set(checks)].map((check) => check(probe, environment)).filter((missing) => missing !== undefined);
}

function missingPlatform({ platform }) {
  if (platform !== 'win32') return undefined;
  return { what: 'Linux or macOS', found: 'Windows', wayOut: ['run it in WSL 2'] };
}

function missingNode({ nodeVersion }) {
  if (Number.parseInt(nodeVersion, 10) >= 20) return undefined;
  return { what: 'Node 20 or later', found: `Node ${nodeVersion}`, wayOut: ['install a current Node from your system’s packages or from nodejs.org'] };
}

function missingNpm({ run }) {
  if (run('npm', ['--version']) !== undefined) return undefined;
  return { what: 'npm', found: 'no npm', wayOut: ['it comes with Node; on Debian: apt-get install npm'] };
}

function missingJava({ run, exists }, environment) {
  if (environment.KAFKA_BROKERS) return undefined;
  const home = environment.JAVA_HOME ? join(environment.JAVA_HOME, 'bin', 'java') : 'java';
  const version = /version "(?:1\.)?(\d+)/.exec(run(home, ['-version']) ?? '')?.[1];
  if (version !== undefined && Number(version) >= 17) return undefined;
  const found = version === undefined ? (environment.JAVA_HOME && !exists(home) ? `JAVA_HOME names ${environment.JAVA_HOME}, which has no bin/java` : 'no java') : `Java ${version}`;
  return { what: 'Java 17 or later, for the local Kafka', found, wayOut: ['Debian, Ubuntu: apt-get install openjdk-17-jre-headless · macOS: brew install openjdk@17', 'or set KAFKA_BROKERS=host:port to use an existing Kafka', existingServers] };
}

function missingMaven({ run, exists }, environment) {
  // Maven only fetches the jars: what is there already needs no Maven.
  if (environment.KAFKA_BROKERS || exists(join(places.stamps, 'kafka'))) return undefined;
  if (run('mvn', ['-v']) !== undefined) return undefined;
  return { what: 'Maven, to fetch Kafka’s jars', found: 'no mvn', wayOut: ['Debian, Ubuntu: apt-get install maven · macOS: brew install maven', 'or set KAFKA_BROKERS=host:port to use an existing Kafka', existingServers] };
}

function missingPython(probe, environment) {
  const python = findPython(probe, environment);
  const hint = 'Debian, Ubuntu: apt-get install python3 python3-venv · macOS: brew install python@3.12 · or set PYTHON to another interpreter';
  if (python === undefined || !python.fits) return { what: 'Python 3.11 or later, for the trainer and the stock clients', found: python === undefined ? 'no python3' : `Python ${python.version}`, wayOut: [hint] };
  if (probe.run(python.program, ['-c', 'import venv, ensurepip']) !== undefined) return undefined;
  return { what: `the venv module of Python ${python.version}`, found: `${python.program} without venv or ensurepip`, wayOut: [hint] };
}

function missingPostgres({ platform, arch, musl }, environment) {
  if (environment.DATABASE_URL) return undefined;
  if (postgresPlatforms.includes(`${platform}-${arch}`) && !musl) return undefined;
  const found = `${platform}-${arch}${musl ? ' with musl' : ''}`;
  return { what: 'PostgreSQL', found: `no PostgreSQL is packaged for ${found}`, wayOut: ['set DATABASE_URL=postgresql://user:password@host:port/database to use an existing one', existingServers] };
}

/** @param {readonly Missing[]} missing */
export function describeMissing(missing) {
  const lines = missing.flatMap(({ what, found, wayOut }) => [`  - ${what} (found: ${found})`, ...wayOut.map((way) => `      ${way}`)]);
  return [`This machine lacks ${missing.length === 1 ? 'one thing' : `${missing.length} things`}; nothing was downloaded.`, ...lines, ''].join('\n');
}
