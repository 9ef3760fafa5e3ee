import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { places } from './places.mjs';

const running = new Set();

/** Ends what a step started; its children lead their own groups, so that none outlives us. */
export function endCommands(signal = 'SIGTERM') {
  for (const child of running) {
    try {
      process.kill(-child.pid, signal);
    } catch {
      // Gone already.
    }
  }
}

export class CommandFailed extends Error {
  constructor(message, log) {
    super(message);
    this.log = log;
  }
}

/** Runs a program, its output appended to a log. @throws CommandFailed */
export async function run(log, program, parameters, { environment = {}, cwd = places.checkout } = {}) {
  mkdirSync(dirname(log), { recursive: true });
  const output = openSync(log, 'a');
  // node_modules/.bin first: what is installed here wins over what the machine has.
  const PATH = `${places.checkout}/node_modules/.bin:${process.env.PATH}`;
  const child = spawn(program, parameters, { cwd, detached: true, stdio: ['ignore', output, output], env: { ...process.env, PATH, ...environment } });
  running.add(child);
  try {
    const [code, signal] = await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (...result) => resolve(result));
    });
    if (code !== 0) throw new CommandFailed(`${program} ended with ${signal ?? `status ${code}`}`, log);
  } catch (error) {
    throw error instanceof CommandFailed ? error : new CommandFailed(`${program} cannot be run: ${error.message}`, log);
  } finally {
    running.delete(child);
    closeSync(output);
  }
}

/** The end of a log; preceded by its first lines about an error when those lie further up (npm ends with its usage text). */
export function tellingLines(path, count = 20) {
  let lines;
  try {
    lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  } catch {
    return '';
  }
  const end = Math.max(0, lines.length - count);
  const first = lines.findIndex((line) => /\berror\b/i.test(line));
  const early = first === -1 || first >= end ? [] : [...lines.slice(first, Math.min(end, first + 10)), '…'];
  return [...early, ...lines.slice(end)].join('\n');
}
