import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { endCommands, tellingLines } from './command.mjs';

/** @typedef {import('./steps.mjs').Step} Step */

const reminderMs = 20_000;
const seconds = (sinceMs) => `${((Date.now() - sinceMs) / 1000).toFixed(1)} s`;

export class StepFailed extends Error {
  constructor(step, cause) {
    super(`${step.title}: ${cause.message}`, { cause });
    this.step = step;
  }
}

/**
 * Runs each step once the ones it waits for are done, those that wait for nothing side by side, and prints a line as each ends.
 * @param {readonly Step[]} steps
 * @throws StepFailed for the first that fails; the others are ended.
 */
export async function runSteps(steps, { logs, say }) {
  const names = new Set(steps.map(({ name }) => name));
  const runs = new Map();
  const working = new Map();
  let ended = 0;
  const reminder = setInterval(() => {
    const list = [...working].map(([title, since]) => `${title} (${Math.round((Date.now() - since) / 1000)} s)`);
    if (list.length > 0) say(`      still working: ${list.join(', ')}`);
  }, reminderMs);
  const runOne = async (step) => {
    await Promise.all(step.after.filter((name) => names.has(name)).map((name) => runs.get(name)));
    const since = Date.now();
    const report = (result) => say(`[${(ended += 1)}/${steps.length}] ${step.title} … ${result}`);
    if (step.isThere()) return report('already there');
    const log = join(logs, `${step.name}.log`);
    rmSync(log, { force: true });
    working.set(step.title, since);
    try {
      await step.make(log);
    } catch (cause) {
      throw new StepFailed(step, cause);
    } finally {
      working.delete(step.title);
    }
    report(seconds(since));
  };
  // Steps are listed after those they wait for, so that the map always holds what is asked of it.
  for (const step of steps) runs.set(step.name, runOne(step));
  try {
    await Promise.all(runs.values());
  } catch (error) {
    endCommands();
    await Promise.allSettled(runs.values());
    throw error;
  } finally {
    clearInterval(reminder);
  }
}

/** What a person needs to go on. */
export function describeFailure({ step, message, cause }, logs) {
  const log = cause?.log ?? join(logs, `${step.name}.log`);
  return [`FAILED ${message}`, '', tellingLines(log), '', `Whole log: ${log}`, `What to do: ${step.hint}.`, ''].join('\n');
}
