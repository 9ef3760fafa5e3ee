import { parseModelSpec } from '@millrace/contracts';
import { decideRollout, isLive, rolloutPlanOf, routeOf, startRollout, type RolloutPolicy, type RolloutStep } from '@millrace/core/rollout';
import type { Chance } from '../chance.js';
import type { Cell, Figures, Goal, Study } from '../study.js';
import { repeatedUnitCells } from './repeated-units.cells.js';
import { eachTrial, mean } from './rollout-logs.js';

/** A spec with this section `rollout`. Without guards, which have a study of their own: the rest of alpha is the steps’. */
function specOf(rollout: object): ReturnType<typeof parseModelSpec> {
  const guards = { errorRate: { enabled: false }, latencyMsP99: { enabled: false } };
  return parseModelSpec({
    apiVersion: 'millrace/v1', kind: 'Model', metadata: { name: 'simulated' },
    spec: { task: 'binary', stream: 'simulated', features: [{ name: 'slice', type: 'category' }], label: { field: 'y', positive: true }, trainer: { name: 'tabular', algorithm: 'lightgbm' }, rollout: { guards, ...rollout } },
  });
}

/** As the controller would plan it. */
export const policyOf = (rollout: object): RolloutPolicy => rolloutPlanOf({ revision: 1, sha256: '0'.repeat(64), spec: specOf(rollout) }).policy;

interface Arms {
  readonly champion: number;
  readonly candidate: number;
}
/** Error rates of both arms on one row. */
type World = (row: number, slice: number) => Arms;

const rowsPerDay = 500;
const dayMs = 86_400_000;

/** Runs one roll-out, looked at after every outcome, until it has ended or is held. */
function runRollout(policy: RolloutPolicy, world: World, rowsMax: number, chance: Chance): { steps: readonly RolloutStep[]; rows: number; ended: string } {
  let state = startRollout(policy);
  const steps: RolloutStep[] = [];
  let row = 0;
  for (; row < rowsMax && isLive(state.phase) && state.held === null; row += 1) {
    const route = routeOf(state, policy);
    const slice = chance.integer(10);
    const groups = { slice: String(slice) };
    const { champion, candidate } = world(row, slice);
    const pairs = route?.mirror === true ? [{ champion: chance.bernoulli(champion), candidate: chance.bernoulli(candidate), groups }] : [];
    const asked = chance.uniform() < (route?.share ?? 0);
    const arms = route?.mirror === true ? [] : [{ arm: asked ? ('candidate' as const) : ('champion' as const), loss: chance.bernoulli(asked ? candidate : champion), groups }];
    const decision = decideRollout(state, { type: 'outcomes', streamTimeMs: (row * dayMs) / rowsPerDay, pairs, arms }, policy);
    state = decision.state;
    steps.push(...decision.steps);
  }
  return { steps, rows: row, ended: state.phase };
}

interface StrategyCell {
  readonly id: string;
  readonly about: string;
  readonly rollout: object;
  readonly world: World;
  readonly rowsMax: number;
  readonly trials: number;
  readonly goals: readonly Goal[];
}

function strategyCell({ id, about, rollout, world, rowsMax, trials: count, goals }: StrategyCell): Cell {
  return {
    id, about, trials: count, goals,
    run(trials, seed): Figures {
      const policy = policyOf(rollout);
      const counts = { rolledBack: 0, full: 0, saidBetter: 0, saidWorse: 0, allSteps: 0 };
      const rows: number[] = [];
      eachTrial(trials, seed, (chance) => {
        const run = runRollout(policy, world, rowsMax, chance);
        rows.push(run.rows);
        if (run.ended === 'rolled-back') counts.rolledBack += 1;
        if (run.ended === 'full') counts.full += 1;
        if (run.steps.some(({ verdict }) => verdict === 'better')) counts.saidBetter += 1;
        if (run.steps.some(({ verdict }) => verdict === 'worse')) counts.saidWorse += 1;
        if (run.steps.filter(({ from, to }) => from.split(' ')[0] !== to.split(' ')[0]).length >= policy.steps.length) counts.allSteps += 1;
      });
      const rate = (value: number): number => value / trials;
      return { rolledBack: rate(counts.rolledBack), full: rate(counts.full), saidBetter: rate(counts.saidBetter), saidWorse: rate(counts.saidWorse), allSteps: rate(counts.allSteps), rowsMean: mean(rows) };
    },
  };
}

const equal = (error: number): World => () => ({ champion: error, candidate: error });
/** The level of both arms moves between 0.02 and 0.5 within each day. */
const daily: World = (row) => {
  const error = 0.26 + 0.24 * Math.sin((2 * Math.PI * row) / rowsPerDay);
  return { champion: error, candidate: error };
};

/** Margin 0 and a step that goes on when its time is over: equal arms see every step to its end, so that each may err. */
const seen = { lossMargin: 0, onTimeout: 'go-on', rowsMin: 1, duration: 'P3D' } as const;
const strict = (...steps: readonly object[]): object => ({ alpha: 0.05, futilityBeta: 0, steps: steps.map((step) => ({ ...seen, ...step })) });
const falseVerdicts: readonly Goal[] = [{ figure: 'saidWorse', atMost: 0.05 }, { figure: 'saidBetter', atMost: 0.05 }];
const three = strict({ type: 'shadow' }, { type: 'canary', share: 0.1 }, { type: 'ab' });
const ramp = strict({ type: 'shadow' }, { type: 'canary', share: 0.01 }, { type: 'canary', share: 0.05 }, { type: 'linear', from: 0.1, by: 0.1, to: 0.5, every: 'PT12H' });

const equalCells: readonly Cell[] = [
  strategyCell({ id: 'aa/standard', about: 'equal arms, 0.10 errors; shadow, 10 % canary, A/B, 1,500 outcomes each', rollout: three, world: equal(0.1), rowsMax: 5_000, trials: 2_000, goals: falseVerdicts }),
  strategyCell({ id: 'aa/standard/daily', about: 'the same, errors between 0.02 and 0.5 by the hour', rollout: three, world: daily, rowsMax: 5_000, trials: 2_000, goals: falseVerdicts }),
  strategyCell({ id: 'aa/ramp', about: 'equal arms, 0.10 errors; shadow, canaries of 1 % and 5 %, 10 → 50 % linear', rollout: ramp, world: equal(0.1), rowsMax: 7_000, trials: 2_000, goals: falseVerdicts }),
  strategyCell({ id: 'aa/blue-green', about: 'equal arms, 0.10 errors; shadow, then all at once', rollout: strict({ type: 'shadow' }, { type: 'blue-green' }), world: equal(0.1), rowsMax: 4_000, trials: 2_000, goals: falseVerdicts }),
  strategyCell({ id: 'aa/bandit', about: 'equal arms, errors between 0.02 and 0.5 by the hour; a bandit with a floor of 0.1, share moved every 6 hours', rollout: strict({ type: 'bandit', floor: 0.1, every: 'PT6H', duration: 'P9D' }), world: daily, rowsMax: 5_000, trials: 2_000, goals: falseVerdicts }),
  strategyCell({ id: 'aa/slices', about: 'equal arms, 0.10 errors, ten slices guarded; shadow, 10 % canary, A/B', rollout: { ...three, slices: ['slice'] }, world: equal(0.1), rowsMax: 5_000, trials: 1_000, goals: falseVerdicts }),
];

const margins = { lossMargin: 0.03, canary: { share: 0.2, rowsMin: 200, lossMargin: 0.05 }, ab: { share: 0.5, rowsMin: 500, lossMargin: 0.05 }, shadow: { pairsMin: 500 } };
const sections = { shadow: { pairsMin: 500, duration: 'P60D' }, canary: { ...margins.canary, duration: 'P60D' }, ab: { ...margins.ab, duration: 'P60D' }, lossMargin: 0.03, alpha: 0.05 };

const powerCells: readonly Cell[] = [
  strategyCell({ id: 'promoted/equal', about: 'equal arms, 0.10 errors, margins 0.03, 0.05, 0.05: how many reach full', rollout: sections, world: equal(0.1), rowsMax: 60_000, trials: 400, goals: [{ figure: 'full', atLeast: 0.8 }, { figure: 'saidWorse', atMost: 0.05 }] }),
  strategyCell({ id: 'promoted/better', about: 'candidate 0.07, champion 0.10', rollout: sections, world: () => ({ champion: 0.1, candidate: 0.07 }), rowsMax: 60_000, trials: 400, goals: [{ figure: 'full', atLeast: 0.95 }] }),
  strategyCell({ id: 'stopped/just-worse', about: 'candidate worse by 0.0501, beyond every margin: how many reach full', rollout: sections, world: () => ({ champion: 0.1, candidate: 0.1501 }), rowsMax: 60_000, trials: 400, goals: [{ figure: 'full', atMost: 0.05 }] }),
  strategyCell({ id: 'stopped/slice', about: 'worse in one slice of ten only, 0.10 → 0.35; A/B, margin 0.02', rollout: { alpha: 0.05, futilityBeta: 0, slices: ['slice'], steps: [{ type: 'ab', rowsMin: 50_000, lossMargin: 0.03, duration: 'P60D' }] }, world: (_row, slice) => ({ champion: 0.1, candidate: slice === 3 ? 0.35 : 0.1 }), rowsMax: 12_000, trials: 200, goals: [{ figure: 'rolledBack', atLeast: 0.95 }] }),
  strategyCell({ id: 'futile/between', about: 'candidate worse by just the margin of 0.01 in A/B: neither passes nor is harm, and is given up before its 30,000 outcomes', rollout: { alpha: 0.05, futilityBeta: 0.1, steps: [{ type: 'ab', rowsMin: 500, lossMargin: 0.01, duration: 'P60D' }] }, world: () => ({ champion: 0.1, candidate: 0.11 }), rowsMax: 30_000, trials: 200, goals: [{ figure: 'rowsMean', atMost: 21_000 }] }),
];

export const rolloutStrategiesStudy: Study = {
  name: 'rollout-strategies',
  title: 'Roll-out strategies',
  method:
    'Whole roll-outs are decided outcome by outcome by the code of `rollout-controller`, 500 outcomes to a day of stream time, from plans of parsed specs. A false verdict is one told in any step. Alpha is parted over the steps for “worse” and “better”, because the first step that says it decides; “not worse” uses the whole of it in each step, because a candidate must pass them all. Shares that change are weighed by the share under which each outcome was answered (inverse propensity). Units that come again count once in a step; `eachSaidWorse` tells of the same roll-outs if each of their outcomes counted.',
  cells: [...equalCells, ...repeatedUnitCells(specOf), ...powerCells],
  rivals: [],
};
