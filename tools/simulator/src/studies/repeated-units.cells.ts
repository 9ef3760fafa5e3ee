import type { OutcomeObserved } from '@millrace/contracts';
import { isLive, rolloutPlanOf, routeOf, startRollout, weighOutcome, type RolloutPlan, type RolloutState, type RolloutStep } from '@millrace/core/rollout';
import type { Chance } from '../chance.js';
import type { Cell } from '../study.js';
import { eachTrial, mean } from './rollout-logs.js';

type Spec = Parameters<typeof rolloutPlanOf>[0]['spec'];

interface Unit {
  readonly name: string;
  /** Where its hash lies on [0, 1). */
  readonly place: number;
  readonly error: number;
  left: number;
}

/** Mean error 0.1; a fifth of the units err in 42 % of their outcomes, the others in 2 %: intra-unit correlation 0.28. */
function newUnit(number: number, repeats: number, chance: Chance): Unit {
  return { name: `unit-${number}`, place: chance.uniform(), error: chance.bernoulli(0.2) === 1 ? 0.42 : 0.02, left: repeats };
}

const active = 25;
const hourMs = 3_600_000;

interface Run {
  readonly steps: readonly RolloutStep[];
  readonly mismatch: boolean;
  readonly counted: number;
}

/** Equal arms; some 25 units are about at a time, each comes `repeats` times, and keeps its arm while the share does not pass it. */
function runRollout(plan: RolloutPlan, repeats: number, rowsMax: number, chance: Chance): Run {
  let progress: { state: RolloutState; outcomes: number } = { state: startRollout(plan.policy), outcomes: 0 };
  const steps: RolloutStep[] = [];
  const counted = new Set<string>();
  let named = 0;
  const units = Array.from({ length: active }, () => newUnit((named += 1), repeats, chance));
  let [revision, mismatch] = [1, false];
  for (let row = 0; row < rowsMax && isLive(progress.state.phase); row += 1) {
    const { phase } = progress.state;
    const index = chance.integer(active);
    const unit = units[index];
    if (unit === undefined) break;
    unit.left -= 1;
    if (unit.left === 0) units[index] = newUnit((named += 1), repeats, chance);
    const outcome = outcomeOf(unit, row, unit.place < (routeOf(progress.state, plan.policy)?.share ?? 0), revision, chance);
    const told = weighOutcome(progress, outcome, plan, { routeRevision: revision, streamTimeMs: row * (hourMs / 100), lookEveryOutcomes: 1e9, routable: false, candidateVersion: 'candidate', hasCounted: ({ step, unit: hash }) => counted.has(`${step}/${hash}`) });
    for (const { step, unit: hash } of told.units) counted.add(`${step}/${hash}`);
    steps.push(...told.steps);
    mismatch ||= told.state.evidence !== null && told.state.evidence.mismatchAt !== null;
    progress = told;
    if (told.state.phase !== phase) revision += 1;
  }
  return { steps, mismatch, counted: progress.outcomes };
}

function outcomeOf({ name, error }: Unit, row: number, candidate: boolean, routeRevision: number, chance: Chance): OutcomeObserved {
  const arm = candidate ? 'candidate' : 'champion';
  const at = '2026-01-01T00:00:00Z';
  const position = { topic: 'p', partition: 0, offset: row };
  // The Brier loss of a certain answer is 0 or 1.
  const output = { probability: chance.bernoulli(error) };
  return { model: 'm', recordId: `r-${row}`, label: false, labelEventTime: at, labelPosition: position, predictions: [{ predictionId: `p-${row}`, requestId: `q-${row}`, version: arm, role: 'primary', arm, unit: name, eventTime: at, routeRevision, output, position }] };
}

/** Equal arms, with units that come again: once each outcome was a draw of its own, now each unit is. */
export function repeatedUnitCells(specOf: (rollout: object) => Spec): readonly Cell[] {
  const seen = { lossMargin: 0, onTimeout: 'go-on', rowsMin: 1, duration: 'P4D' } as const;
  const cell = (id: string, about: string, steps: readonly object[]): Cell => ({
    id: `aa/units/${id}`, about, trials: 400,
    goals: [{ figure: 'saidWorse', atMost: 0.05 }, { figure: 'saidBetter', atMost: 0.05 }, { figure: 'mismatch', atMost: 0.01 }, { figure: 'eachSaidWorse', atLeast: 0.06 }],
    run(trials, seed) {
      const rollout = { alpha: 0.05, futilityBeta: 0, steps: steps.map((step) => ({ ...seen, ...step })) };
      const plan = rolloutPlanOf({ revision: 1, sha256: '0'.repeat(64), spec: specOf(rollout) });
      const { unitsOnce: _, ...each } = plan;
      const rows = 20_000;
      const [now, before]: [Run[], Run[]] = [[], []];
      eachTrial(trials, seed, (chance) => void now.push(runRollout(plan, 20, rows, chance)));
      eachTrial(Math.ceil(trials / 4), seed, (chance) => void before.push(runRollout(each, 20, rows, chance)));
      const rate = (runs: readonly Run[], of: (run: Run) => boolean): number => runs.filter(of).length / runs.length;
      const said = (verdict: string) => ({ steps: told }: Run): boolean => told.some((step) => step.verdict === verdict);
      return {
        saidWorse: rate(now, said('worse')), saidBetter: rate(now, said('better')), mismatch: rate(now, ({ mismatch }) => mismatch), counted: mean(now.map(({ counted }) => counted)),
        eachSaidWorse: rate(before, said('worse')), eachSaidBetter: rate(before, said('better')), eachMismatch: rate(before, ({ mismatch }) => mismatch),
      };
    },
  });
  return [
    cell('canary-ab', 'equal arms, 0.10 errors, each unit 20 times (correlation 0.28); 10 % canary, A/B, 9,600 outcomes each', [{ type: 'canary', share: 0.1 }, { type: 'ab' }]),
    cell('linear', 'the same; 10 → 50 % linear, every 12 hours', [{ type: 'linear', from: 0.1, by: 0.1, to: 0.5, every: 'PT12H', duration: 'P8D' }]),
  ];
}
