import type { CounterfactualValue, PolicyValue, ValueInterval } from '@millrace/core/rollout';
import { table, type Cell } from './print.js';

const row = (name: string, { value, change }: PolicyValue): Cell[] => [name, value.estimate, value.lower, value.upper, change.estimate, change.lower, change.upper];
const shown = ({ estimate, lower, upper }: ValueInterval): string => `${estimate.toFixed(4)} [${lower.toFixed(4)}, ${upper.toFixed(4)}]`;

/** What a policy would have lost, or why nobody can say. @param policy in words */
export function valueForPeople({ rows, units, alpha, logged, overlap, refusal, selfNormalised, doublyRobust }: CounterfactualValue, policy: string): string {
  const { effectiveUnits, largestShare, leastPropensity, meanWeight } = overlap;
  const level = `${100 * (1 - alpha)} %`;
  const diagnostics = [
    `Overlap: ${units.toLocaleString('en-US')} units count as ${effectiveUnits.toFixed(0)}; the heaviest has ${(100 * largestShare).toPrecision(2)} % of the weight, the smallest propensity is ${leastPropensity.toPrecision(2)},`,
    `the weights average ${meanWeight.value.toFixed(3)} (99.9 % interval ${meanWeight.lower.toFixed(3)} to ${meanWeight.upper.toFixed(3)}; 1 when the log shows all that the policy would do).`,
  ];
  const head = `Mean loss as it was, over ${rows.toLocaleString('en-US')} rows: ${shown(logged)}.`;
  if (refusal !== null) return [head, `No value is told of ${policy} (${refusal.code}): ${refusal.reason}.`, ...diagnostics].join('\n');
  const estimates = [...(selfNormalised === null ? [] : [row('self-normalised', selfNormalised)]), ...(doublyRobust === null ? [] : [row('doubly robust', doublyRobust)])];
  return [
    head, `Mean loss of ${policy}, with ${level} intervals at one look; the change is against how it was:`, '',
    table(['estimate', 'value', 'lower', 'upper', 'change', 'from', 'to'], estimates), '', ...diagnostics,
  ].join('\n');
}
