import { isBusinessBreached, observeBusiness, startBusiness, type BusinessPolicy } from '@millrace/core/rollout';
import type { Chance } from '../chance.js';
import type { Cell } from '../study.js';
import { eachTrial, mean, quantile } from './rollout-logs.js';

/** Of the spec’s alpha 0.05 a fifth is the guards’; three guards, three steps. */
const alpha = (0.05 * 0.2) / 3 / 3;

interface World {
  readonly share: number;
  readonly policy: Omit<BusinessPolicy, 'alpha' | 'field' | 'whenMissing' | 'lowest'>;
  /** What one outcome brings, 0 or more. */
  value(chance: Chance, candidate: boolean): number;
}

/** The outcome at which the candidate is taken back; null: never. */
function breachAt({ share, policy: given, value }: World, rows: number, chance: Chance): number | null {
  const policy: BusinessPolicy = { ...given, field: 'value', lowest: 0, whenMissing: null, alpha };
  let evidence = startBusiness(policy, share);
  for (let row = 1; row <= rows; row += 1) {
    const candidate = chance.uniform() < share;
    evidence = observeBusiness(evidence, candidate ? 'candidate' : 'champion', value(chance, candidate), share, policy);
    if (isBusinessBreached(evidence, policy)) return row;
  }
  return null;
}

const clicks = (champion: number, candidate: number): World['value'] => (chance, isCandidate) => chance.bernoulli(isCandidate ? candidate : champion);
/** One of ten buys, for 50 on average. */
const revenue = (part: number): World['value'] => (chance, candidate) => (chance.bernoulli(candidate ? 0.1 * part : 0.1) === 1 ? 50 * chance.exponential() : 0);
const ofClicks = { higherIsBetter: true, margin: 0.05, relative: true, highest: 1 };
const ofRevenue = { higherIsBetter: true, margin: 0.1, relative: true, highest: 300 };

const within = (id: string, about: string, world: World, rows: number): Cell => ({
  id: `business/aa/${id}`, about: `${about}; ${rows.toLocaleString('en-US')} outcomes, looked at after each`, trials: 2_000, goals: [{ figure: 'falseRollback', atMost: 2 * alpha }],
  run(trials, seed) {
    let breaches = 0;
    eachTrial(trials, seed, (chance) => (breaches += breachAt(world, rows, chance) === null ? 0 : 1));
    return { falseRollback: breaches / trials, level: alpha };
  },
});

const beyond = (id: string, about: string, world: World, budget: number): Cell => ({
  id: `business/${id}`, about: `${about}; within ${budget.toLocaleString('en-US')} outcomes`, trials: 200, goals: [{ figure: 'foundInBudget', atLeast: 0.95 }],
  run(trials, seed) {
    const found: number[] = [];
    eachTrial(trials, seed, (chance) => void found.push(breachAt(world, 4 * budget, chance) ?? Infinity));
    return { foundInBudget: found.filter((row) => row <= budget).length / trials, outcomesMean: mean(found), outcomesP95: quantile(found, 0.95) };
  },
});

/** The guard on the team’s own number: equal arms, arms at the limit, and losses. */
export const businessGuardCells: readonly Cell[] = [
  within('clicks', 'clicks 30 % in both arms, 5 % of the mean tolerated, 10 % canary', { share: 0.1, policy: ofClicks, value: clicks(0.3, 0.3) }, 3_000),
  within('revenue', 'revenue of one buyer in ten, the candidate’s just at the limit of 10 % less, 50/50', { share: 0.5, policy: ofRevenue, value: revenue(0.9) }, 3_000),
  beyond('clicks/half', 'clicks 30 % → 20 %, 5 % of the mean tolerated, 50/50', { share: 0.5, policy: ofClicks, value: clicks(0.3, 0.2) }, 3_500),
  beyond('clicks/canary', 'clicks 30 % → 20 %, 5 % of the mean tolerated, 10 % canary', { share: 0.1, policy: ofClicks, value: clicks(0.3, 0.2) }, 12_000),
  beyond('revenue/half', 'half of the revenue is lost, 10 % of the mean tolerated, 50/50', { share: 0.5, policy: ofRevenue, value: revenue(0.5) }, 12_000),
];
