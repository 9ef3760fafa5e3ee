import type { Command } from 'commander';
import { addRolloutJudgeCommand } from './rollout-judge.js';
import { addRolloutValueCommand } from './rollout-value.js';

/** `millrace rollout`: what roll-outs are judged by, on plain files. */
export function addRolloutFileCommands(program: Command): void {
  const rollout = program.command('rollout').description('verdicts on roll-outs, and values of other policies, from plain files');
  addRolloutJudgeCommand(rollout);
  addRolloutValueCommand(rollout);
}
