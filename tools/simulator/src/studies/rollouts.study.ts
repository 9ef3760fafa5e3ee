import { futilityBeta, type LogJudge, type LogPlan } from '@millrace/core/rollout';
import type { Cell, Figures, Goal, Study } from '../study.js';
import { drawOf, drawPairs, eachTrial, errors, fixedHorizon, mean, planOf, quantile, runLog, type DrawRow, type World } from './rollout-logs.js';
import { rivalCells } from './rollout-rivals.js';

const everSaid = (judge: LogJudge, verdict: string): boolean => judge.overall.trail.some((change) => change.verdict === verdict);

interface EqualCell {
  readonly id: string;
  readonly about: string;
  readonly plan?: Partial<LogPlan>;
  readonly world: World;
  readonly rows: number;
  readonly draw?: DrawRow;
}

/** Equal arms: any “worse” or “better”, at any row, is wrong. */
function equalCell({ id, about, plan = {}, world, rows, draw }: EqualCell): Cell {
  const slices = world.slices ?? 0;
  const goals: Goal[] = [{ figure: 'falseWorse', atMost: 0.05 }, { figure: 'falseBetter', atMost: 0.05 }, { figure: 'falseRatio', atMost: 0.01 }];
  if (slices > 0) goals.push({ figure: 'falseSliceWorse', atMost: 0.05 }, { figure: 'falseSliceBetter', atMost: 0.05 });
  if (world.latencyMs !== undefined) goals.push({ figure: 'falseLatencyWorse', atMost: 0.05 });
  return {
    id: `aa/${id}`, about: `equal arms, ${about}, looked at after each of ${rows.toLocaleString('en-US')} rows`, trials: 2_000, goals,
    run(trials, seed) {
      const counts = { falseWorse: 0, falseBetter: 0, falseRatio: 0, falseSliceWorse: 0, falseSliceBetter: 0, falseLatencyWorse: 0 };
      eachTrial(trials, seed, (chance) => {
        const { judge } = runLog(planOf({ share: world.share, slices, ...plan }), draw ?? drawOf(world), rows, chance, () => false);
        if (everSaid(judge, 'worse')) counts.falseWorse += 1;
        if (everSaid(judge, 'better')) counts.falseBetter += 1;
        if (judge.ratioFirstRow !== null) counts.falseRatio += 1;
        const each = [...judge.slices.values()].flatMap(({ trail }) => trail.map(({ verdict }) => verdict));
        if (each.includes('worse')) counts.falseSliceWorse += 1;
        if (each.includes('better')) counts.falseSliceBetter += 1;
        if (judge.latency?.slow.trail.some(({ verdict }) => verdict === 'worse') === true) counts.falseLatencyWorse += 1;
      });
      const { falseWorse, falseBetter, falseRatio, falseSliceWorse, falseSliceBetter, falseLatencyWorse } = counts;
      const rate = (count: number): number => count / trials;
      return {
        falseWorse: rate(falseWorse), falseBetter: rate(falseBetter), falseRatio: rate(falseRatio),
        ...(slices > 0 ? { falseSliceWorse: rate(falseSliceWorse), falseSliceBetter: rate(falseSliceBetter) } : {}),
        ...(world.latencyMs === undefined ? {} : { falseLatencyWorse: rate(falseLatencyWorse) }),
      };
    },
  };
}

const lognormalMs: NonNullable<World['latencyMs']> = (chance) => Math.exp(3 + 0.5 * chance.normal());

/** The level of the losses moves between 0.02 and 0.5 within “days” of 500 rows, the same for both arms. */
const daily: World['loss'] = (chance, _candidate, row) => chance.bernoulli(0.26 + 0.24 * Math.sin((2 * Math.PI * row) / 500));

const equalCells: readonly Cell[] = [
  equalCell({ id: 'half', about: '0.10 errors, 50/50', world: { share: 0.5, loss: errors(0.1, 0.1) }, rows: 10_000 }),
  equalCell({ id: 'canary', about: '0.10 errors, 10 % canary', world: { share: 0.1, loss: errors(0.1, 0.1) }, rows: 10_000 }),
  equalCell({ id: 'canary-1', about: '0.05 errors, 1 % canary', world: { share: 0.01, loss: errors(0.05, 0.05) }, rows: 10_000 }),
  equalCell({ id: 'rare', about: '0.01 errors, 50/50', world: { share: 0.5, loss: errors(0.01, 0.01) }, rows: 10_000 }),
  equalCell({ id: 'daily', about: 'errors between 0.02 and 0.5 by the hour, 10 % canary', world: { share: 0.1, loss: daily }, rows: 10_000 }),
  equalCell({ id: 'skewed', about: 'losses u⁸ in [0, 1], 10 % canary', world: { share: 0.1, loss: (chance) => chance.uniform() ** 8 }, rows: 10_000 }),
  equalCell({ id: 'slices', about: 'ten slices, 10 % canary, lognormal latency', world: { share: 0.1, slices: 10, loss: errors(0.1, 0.1), latencyMs: lognormalMs }, rows: 10_000 }),
  equalCell({ id: 'effect', about: '0.10 errors, 50/50, declared effect 0.03', plan: { effect: 0.03 }, world: { share: 0.5, loss: errors(0.1, 0.1) }, rows: 10_000 }),
  equalCell({ id: 'pairs', about: '5,000 pairs that disagree on 4 %', plan: { paired: true, drawnPerRow: false }, world: { share: 0.5, loss: errors(0.2, 0.2) }, draw: drawPairs(0.2, 0.025, 0.1), rows: 10_000 }),
];

interface FoundCell {
  readonly id: string;
  readonly about: string;
  readonly plan?: Partial<LogPlan>;
  readonly draw: () => DrawRow;
  /** Rows within which it has to be found in 95 % of the logs. */
  readonly budget?: number;
  readonly rowsMax: number;
  readonly rowsMeanAtMost?: number;
  readonly trials?: number;
  found(judge: LogJudge): boolean;
}

function foundCell({ id, about, plan = {}, draw, budget, rowsMax, rowsMeanAtMost, trials: count = 200, found }: FoundCell): Cell {
  const goals: Goal[] = [];
  if (budget !== undefined) goals.push({ figure: 'foundInBudget', atLeast: 0.95 });
  if (rowsMeanAtMost !== undefined) goals.push({ figure: 'rowsMean', atMost: rowsMeanAtMost }, { figure: 'found', atLeast: 0.8 });
  return {
    id, about: `${about}${budget === undefined ? '' : `, within ${budget.toLocaleString('en-US')} rows`}`, trials: count, goals,
    run(trials, seed): Figures {
      const rows: number[] = [];
      eachTrial(trials, seed, (chance) => {
        const end = runLog(planOf(plan), draw(), rowsMax, chance, found);
        if (found(end.judge)) rows.push(end.rows);
      });
      return {
        found: rows.length / trials, rowsMean: mean(rows), rowsP80: quantile(rows, 0.8), rowsP95: quantile(rows, 0.95),
        ...(budget === undefined ? {} : { foundInBudget: rows.filter((row) => row <= budget).length / trials }),
      };
    },
  };
}

const isWorse = ({ overall }: LogJudge): boolean => overall.verdict === 'worse';
const isBetter = ({ overall }: LogJudge): boolean => overall.verdict === 'better';
const half = (champion: number, candidate: number): (() => DrawRow) => () => drawOf({ share: 0.5, loss: errors(champion, candidate) });
const canary = (champion: number, candidate: number): (() => DrawRow) => () => drawOf({ share: 0.1, loss: errors(champion, candidate) });

const speedCells: readonly Cell[] = [
  foundCell({ id: 'worse/0.10-0.13', about: '0.10 → 0.13, 50/50, margin 0; a fixed test takes 3,540', draw: half(0.1, 0.13), rowsMax: 60_000, rowsMeanAtMost: 3_540, trials: 2_000, found: isWorse }),
  foundCell({ id: 'worse/0.10-0.13/canary', about: `0.10 → 0.13, 10 % canary, margin 0; a fixed test takes ${fixedHorizon(0.1, 0.13, 0.1).toLocaleString('en-US')}`, plan: { share: 0.1 }, draw: canary(0.1, 0.13), rowsMax: 150_000, rowsMeanAtMost: fixedHorizon(0.1, 0.13, 0.1), trials: 1_000, found: isWorse }),
  foundCell({ id: 'worse/0.30-0.345', about: `0.30 → 0.345, 50/50; a fixed test takes ${fixedHorizon(0.3, 0.345, 0.5).toLocaleString('en-US')}`, draw: half(0.3, 0.345), rowsMax: 60_000, rowsMeanAtMost: fixedHorizon(0.3, 0.345, 0.5), trials: 1_000, found: isWorse }),
  foundCell({ id: 'worse/0.01-0.02', about: `0.01 → 0.02, 50/50; a fixed test takes ${fixedHorizon(0.01, 0.02, 0.5).toLocaleString('en-US')}`, draw: half(0.01, 0.02), rowsMax: 80_000, rowsMeanAtMost: fixedHorizon(0.01, 0.02, 0.5), trials: 1_000, found: isWorse }),
  foundCell({ id: 'better/0.10-0.07', about: `0.10 → 0.07, 50/50, margin 0; a fixed test takes ${fixedHorizon(0.1, 0.07, 0.5).toLocaleString('en-US')}`, draw: half(0.1, 0.07), rowsMax: 60_000, rowsMeanAtMost: fixedHorizon(0.1, 0.07, 0.5), trials: 1_000, found: isBetter }),
  foundCell({ id: 'not-worse/pairs', about: 'pairs that disagree on 2 %, no difference, “not worse within 0.01”; two rows per pair', plan: { paired: true, drawnPerRow: false, margin: 0.01 }, draw: () => drawPairs(0.1, 0.0111, 0.1), rowsMax: 60_000, found: ({ overall }) => overall.verdict === 'not-worse' || overall.verdict === 'better' }),
];

const injectedCells: readonly Cell[] = [
  foundCell({ id: 'injected/errors', about: 'errors 0.10 → 0.15, 50/50', draw: half(0.1, 0.15), budget: 4_000, rowsMax: 20_000, found: isWorse }),
  foundCell({ id: 'injected/errors/canary', about: 'errors 0.10 → 0.15, 10 % canary', plan: { share: 0.1 }, draw: canary(0.1, 0.15), budget: 11_000, rowsMax: 60_000, found: isWorse }),
  foundCell({ id: 'injected/accuracy', about: 'accuracy 0.90 → 0.87, 50/50', draw: half(0.1, 0.13), budget: 10_000, rowsMax: 60_000, found: isWorse }),
  foundCell({ id: 'injected/accuracy/pairs', about: 'accuracy 0.90 → 0.87 on the same units (1,000 pairs are 2,000 rows)', plan: { paired: true, drawnPerRow: false }, draw: () => drawPairs(0.1, 0.0444, 0.1), budget: 2_500, rowsMax: 20_000, found: isWorse }),
  foundCell({ id: 'injected/latency', about: 'every latency twice as long, 50/50', draw: () => drawOf({ share: 0.5, loss: errors(0.1, 0.1), latencyMs: (chance, candidate) => (candidate ? 2 : 1) * lognormalMs(chance, candidate) }), budget: 1_000, rowsMax: 20_000, found: ({ latency }) => latency?.slow.verdict === 'worse' }),
  foundCell({ id: 'injected/latency-tail', about: 'only the slowest 5 % twice as long (p99 × 2), 50/50', draw: () => drawOf({ share: 0.5, loss: errors(0.1, 0.1), latencyMs: (chance, candidate) => { const ms = lognormalMs(chance, candidate); return candidate && ms > Math.exp(3 + 0.5 * 1.645) ? 2 * ms : ms; } }), budget: 4_000, rowsMax: 40_000, found: ({ latency }) => latency?.slow.verdict === 'worse' }),
  foundCell({ id: 'injected/slice', about: 'one slice of ten 0.10 → 0.20, 50/50', plan: { slices: 10 }, draw: () => drawOf({ share: 0.5, slices: 10, loss: (chance, candidate, _row, slice) => chance.bernoulli(candidate && slice === 0 ? 0.2 : 0.1) }), budget: 16_000, rowsMax: 60_000, found: ({ slices }) => slices.get('s0')?.verdict === 'worse' }),
  foundCell({ id: 'injected/hard', about: 'every candidate answer fails, 10 % canary; 500 rows are 5 s at 100 requests/s', plan: { share: 0.1 }, draw: canary(0.01, 1), budget: 500, rowsMax: 5_000, found: isWorse }),
];

const horizon = fixedHorizon(0.1, 0.13, 0.5);

function futilityCell(id: string, about: string, candidate: number, goals: readonly Goal[]): Cell {
  return {
    id: `futility/${id}`, about, trials: 2_000, goals,
    run(trials, seed) {
      const [rows, capped]: [number[], number[]] = [[], []];
      let [worse, better, futile] = [0, 0, 0];
      eachTrial(trials, seed, (chance) => {
        const ended = ({ overall, futility }: LogJudge): boolean => overall.verdict !== 'not-enough-evidence' || futility.firstRow !== null;
        const end = runLog(planOf({ effect: 0.03 }), half(0.1, candidate)(), 3 * horizon, chance, ended);
        rows.push(end.rows);
        capped.push(Math.min(end.rows, horizon));
        if (end.judge.overall.verdict === 'worse') worse += 1;
        else if (end.judge.overall.verdict === 'better') better += 1;
        else if (end.judge.futility.firstRow !== null) futile += 1;
      });
      return { worse: worse / trials, better: better / trials, futile: futile / trials, rowsMean: mean(rows), shorterBy: 1 - mean(rows) / horizon, shorterByWithinHorizon: 1 - mean(capped) / horizon };
    },
  };
}

const futilityCells: readonly Cell[] = [
  futilityCell('equal', `equal arms, stopped when futile; a fixed test takes ${horizon.toLocaleString('en-US')}`, 0.1, [{ figure: 'shorterBy', atLeast: 0.3 }]),
  futilityCell('effect', 'the declared effect is there (0.10 → 0.13), stopped when futile or at three fixed horizons', 0.13, [{ figure: 'worse', atLeast: 0.8 }, { figure: 'futile', atMost: futilityBeta }]),
];

export const rolloutsStudy: Study = {
  name: 'rollouts',
  title: 'Roll-out verdicts',
  method:
    'Simulated logs of outcomes are judged row by row by the code behind `millrace rollout judge`, with its defaults. Arms are drawn per row with the share; what one outcome tells is inverse-propensity weighted against a running baseline and bet on (Waudby-Smith and Ramdas 2024), each direction at α 0.05. A false verdict is one given at any row. A fixed test is the two-sided 5 % test of two shares with 80 % power. The rivals judge logs from the same generator.',
  cells: [...equalCells, ...speedCells, ...futilityCells, ...injectedCells, ...rivalCells],
  rivals: [],
};
