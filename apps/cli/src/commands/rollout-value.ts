import type { Command } from 'commander';
import { MillraceError } from '@millrace/contracts';
import { counterfactualValue, type ArmPolicy } from '@millrace/core/rollout';
import { readDecisions } from '../plain-files/read-decisions.js';
import { show } from '../print.js';
import { valueForPeople } from '../show-value.js';

interface ValueOptions {
  readonly log: string;
  readonly policy?: string;
  readonly alpha: string;
  readonly json: boolean;
}

/** `candidate=0.3,champion=0.7`; shares that add up to 1. */
function policyOf(text: string): ArmPolicy {
  const refuse = (what: string): never => {
    throw new MillraceError('REQUEST_INVALID', `--policy ${text}: ${what}; say for example candidate=1, or candidate=0.3,champion=0.7`);
  };
  const parts = text.split(',').map((part): [string, number] => {
    const [, arm = '', share = ''] = /^\s*([^=]+)=\s*([\d.eE+-]+)\s*$/u.exec(part) ?? refuse('it is a list of arm=share');
    const value = Number(share);
    return value >= 0 && value <= 1 ? [arm.trim(), value] : refuse(`${share} is no share`);
  });
  const sum = parts.reduce((all, [, share]) => all + share, 0);
  return Math.abs(sum - 1) < 1e-9 ? Object.fromEntries(parts) : refuse(`the shares add up to ${sum}, not to 1`);
}

async function value({ log, policy, alpha, json }: ValueOptions): Promise<void> {
  const level = Number(alpha);
  if (!(level > 0 && level < 1)) throw new MillraceError('REQUEST_INVALID', `--alpha ${alpha}: it must be a number above 0 and below 1`);
  const decisions = await readDecisions(log, policy === undefined ? null : policyOf(policy));
  const answer = counterfactualValue(decisions, level);
  show(json, answer, () => valueForPeople(answer, policy ?? 'the policy in question'));
  if (answer.refusal !== null) throw new MillraceError('OVERLAP_POOR', `${log} cannot tell it (${answer.refusal.code}): ${answer.refusal.reason}`);
}

/** `rollout value`: beside `rollout judge`. */
export function addRolloutValueCommand(rollout: Command): void {
  rollout
    .command('value')
    .description('what another policy would have lost, from a log whose propensities are known')
    .requiredOption('--log <file>', 'CSV, JSONL or Parquet; columns below')
    .option('--policy <arm=share,…>', 'who should have answered; without it the column target says it')
    .option('--alpha <error>', 'the intervals hold the truth with probability 1 − alpha, at one look', '0.05')
    .option('--json', 'for machines', false)
    .addHelpText('after', `
Columns with --policy:
  arm          who answered, such as champion or candidate
  propensity   probability with which this arm was chosen for this row, as the prediction log has it (armProbability)
  loss         what came of it; the smaller the better
  unit         whom the arm was drawn for; rows of one unit count as one observation (default: each row is one)
  slice        what losses may depend on besides the arm; the doubly robust value expects losses by arm and slice

Columns without --policy, for decisions that are no arms:
  propensity   probability with which what was done was chosen
  target       probability with which the policy in question would have done the same
  loss, unit   as above
  expected_logged, expected_target   what a model that has not seen the row expects: the loss of what was done, and the mean
               loss of what the policy would do; with both, the doubly robust value is told too

Two estimates: self-normalised inverse propensity weighting (SNIPW) and doubly robust (DR). Neither is told when the log cannot
tell it: no-overlap, support-missing (the weights average below 1: the policy would do what was never done),
propensities-wrong (above 1), too-few-effective-units (below 100), too-skewed.

Examples:
  $ millrace rollout value --log canary.csv --policy candidate=1
  $ millrace rollout value --log canary.parquet --policy candidate=0.3,champion=0.7 --alpha 0.01 --json
  $ millrace rollout value --log decisions.csv

Exit codes: 0 told, 1 refused or error.`)
    .action(value);
}
