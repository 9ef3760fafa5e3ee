import { chooseCandidate, decideRollout, freePlace, isLive, routeOf, startRollout, type Arm, type BesideEvent, type RolloutEvent, type RolloutPolicy, type RolloutState, type RolloutStep } from '@millrace/core/rollout';
import type { Chance } from '../chance.js';
import type { Cell, Figures, Goal, Study } from '../study.js';
import { eachTrial, mean } from './rollout-logs.js';
import { policyOf } from './rollout-strategies.study.js';

const rowsPerDay = 500;
const dayMs = 86_400_000;

interface Tried {
  /** Index of the candidate. */
  readonly number: number;
  readonly from: number;
  state: RolloutState;
}

interface Setting {
  readonly policy: RolloutPolicy;
  /** Error rates on one row: the champion’s, and each candidate’s. */
  readonly world: (row: number) => { readonly champion: number; readonly candidates: readonly number[] };
  readonly candidates: number;
  readonly rowsMax: number;
  /** False: all go on to the end, so that each may err. */
  readonly chooses: boolean;
}

/** One model whose candidates come half a day after each other and are tried side by side, as `rollout-controller` does it. */
class SideBySide {
  readonly steps: RolloutStep[] = [];
  promoted: number | null = null;
  private readonly tried: Tried[] = [];
  private revision = 0;

  constructor(
    private readonly setting: Setting,
    private readonly chance: Chance,
  ) {}

  run(): number {
    const { candidates, rowsMax } = this.setting;
    let row = 0;
    for (; row < rowsMax && this.promoted === null; row += 1) {
      const due = row / (rowsPerDay / 2);
      if (Number.isInteger(due) && due < candidates) this.begin(due);
      if (due >= candidates && this.tried.every(({ state }) => !isLive(state.phase) || state.held !== null)) break;
      this.outcome(row);
    }
    return row;
  }

  private live(): Tried[] {
    return this.tried.filter(({ state }) => isLive(state.phase));
  }

  private shareOf({ state }: Tried): number {
    return routeOf(state, this.setting.policy)?.share ?? 0;
  }

  private othersOf(one: Tried | null): number {
    return this.live().reduce((sum, each) => sum + (each === one ? 0 : this.shareOf(each)), 0);
  }

  private begin(number: number): void {
    const { policy } = this.setting;
    const from = freePlace(policy, this.live().map((each) => ({ policy, from: each.from })));
    if (from === null) throw new Error('there is room for as many as the spec says');
    const fresh: Tried = { number, from, state: startRollout(policy, this.othersOf(null)) };
    this.tried.push(fresh);
    this.tellBeside(fresh);
  }

  private tellBeside(changed: Tried): void {
    this.revision += 1;
    for (const other of this.live()) if (other !== changed) this.decide(other, this.besideEvent(other, 'shares'));
  }

  private besideEvent(one: Tried, cause: BesideEvent['cause']): BesideEvent {
    return { type: 'beside', cause, others: this.othersOf(one), routeRevision: this.revision, reason: cause };
  }

  private decide(one: Tried, event: RolloutEvent): void {
    const { state, steps } = decideRollout(one.state, event, this.setting.policy);
    const before = this.shareOf(one);
    one.state = state;
    this.steps.push(...steps);
    if (this.shareOf(one) !== before) this.tellBeside(one);
  }

  private outcome(row: number): void {
    const at = this.chance.uniform();
    const answering = this.live().find((each) => at >= each.from && at < each.from + this.shareOf(each));
    const { champion, candidates } = this.setting.world(row);
    const loss = this.chance.bernoulli(answering === undefined ? champion : (candidates[answering.number] ?? champion));
    const arm: Arm = answering === undefined ? 'champion' : 'candidate';
    const streamTimeMs = (row * dayMs) / rowsPerDay;
    for (const each of answering === undefined ? this.live() : [answering]) if (isLive(each.state.phase)) this.decide(each, { type: 'outcomes', streamTimeMs, pairs: [], arms: [{ arm, loss }] });
    if (this.setting.chooses && this.tried.some(({ state }) => state.held === 'chosen-next')) this.choose();
  }

  private choose(): void {
    const choice = chooseCandidate(this.live().map((each) => ({ each, version: String(each.number), state: each.state, policy: this.setting.policy })));
    if (choice !== null) this.promoted = choice.chosen.each.number;
  }
}

interface CandidatesCell {
  readonly id: string;
  readonly about: string;
  readonly rollout: object;
  readonly setting: Omit<Setting, 'policy'>;
  readonly trials: number;
  readonly goals: readonly Goal[];
}

/** `promotedLast`: the candidate that is best in the cell’s world, which comes last. */
function candidatesCell({ id, about, rollout, setting, trials: count, goals }: CandidatesCell): Cell {
  return {
    id, about, trials: count, goals,
    run(trials, seed): Figures {
      const policy = policyOf({ candidatesMax: setting.candidates, ...rollout });
      const counts = { anyBetter: 0, anyWorse: 0, promoted: 0, promotedLast: 0 };
      const rows: number[] = [];
      eachTrial(trials, seed, (chance) => {
        const model = new SideBySide({ ...setting, policy }, chance);
        rows.push(model.run());
        if (model.steps.some(({ verdict }) => verdict === 'better')) counts.anyBetter += 1;
        if (model.steps.some(({ verdict }) => verdict === 'worse')) counts.anyWorse += 1;
        if (model.promoted !== null) counts.promoted += 1;
        if (model.promoted === setting.candidates - 1) counts.promotedLast += 1;
      });
      const rate = (value: number): number => value / trials;
      return { anyBetter: rate(counts.anyBetter), anyWorse: rate(counts.anyWorse), promoted: rate(counts.promoted), promotedLast: rate(counts.promotedLast), rowsMean: mean(rows) };
    },
  };
}

/** Margin 0, and steps that go on when their time is over: each candidate is looked at to the end, so that each may err. */
const seen = { lossMargin: 0, onTimeout: 'go-on', rowsMin: 1, duration: 'P5D' } as const;
const strict = { alpha: 0.05, futilityBeta: 0, steps: [{ ...seen, type: 'canary', share: 0.1 }, { ...seen, type: 'ab' }] };
const falseVerdicts: readonly Goal[] = [{ figure: 'anyBetter', atMost: 0.05 }, { figure: 'anyWorse', atMost: 0.05 }];
const equal = (count: number, level: (row: number) => number): Setting['world'] => (row) => ({ champion: level(row), candidates: new Array<number>(count).fill(level(row)) });
/** The level of all arms moves between 0.02 and 0.5 within each day. */
const daily = (row: number): number => 0.26 + 0.24 * Math.sin((2 * Math.PI * row) / rowsPerDay);

const margins = { alpha: 0.05, steps: [{ type: 'ab', rowsMin: 500, lossMargin: 0.03, duration: 'P90D' }] };
const fixed = (champion: number, ...candidates: readonly number[]): Omit<Setting, 'policy'> => ({ candidates: candidates.length, rowsMax: 45_000, chooses: true, world: () => ({ champion, candidates }) });

export const severalCandidatesStudy: Study = {
  name: 'several-candidates',
  title: 'Several candidates at once',
  method:
    'Candidates of one model come half a day after each other and are tried side by side, each decided outcome by outcome by the code of `rollout-controller` on a stretch of units of its own, 500 outcomes to a day of stream time. Errors are parted evenly among `candidatesMax` (Bonferroni), so that any false verdict of any candidate has the stated one. A false verdict is one told in any step of any candidate. Of those that have passed, the one with the smallest mean difference is promoted, unless one that still gathers leads it, or has not yet the outcomes that the last step needs.',
  cells: [
    candidatesCell({ id: 'aa/three/daily', about: 'three candidates equal to the champion, errors between 0.02 and 0.5 by the hour; 10 % canary and A/B, 2,500 outcomes each', rollout: strict, setting: { candidates: 3, rowsMax: 7_000, chooses: false, world: equal(3, daily) }, trials: 1_000, goals: falseVerdicts }),
    candidatesCell({ id: 'aa/five', about: 'five candidates equal to the champion, 0.10 errors', rollout: strict, setting: { candidates: 5, rowsMax: 7_000, chooses: false, world: equal(5, () => 0.1) }, trials: 600, goals: falseVerdicts }),
    candidatesCell({ id: 'best/one-of-three', about: 'champion 0.10, candidates 0.10, 0.10 and 0.06, margin 0.03: how often the best is promoted', rollout: margins, setting: fixed(0.1, 0.1, 0.1, 0.06), trials: 200, goals: [{ figure: 'promotedLast', atLeast: 0.9 }] }),
    candidatesCell({ id: 'best/close', about: 'champion 0.10, candidates 0.10, 0.08 and 0.05', rollout: margins, setting: fixed(0.1, 0.1, 0.08, 0.05), trials: 200, goals: [{ figure: 'promotedLast', atLeast: 0.9 }] }),
    candidatesCell({ id: 'none/three-worse', about: 'champion 0.10, three candidates at 0.1301, beyond the margin of 0.03: how often any is promoted', rollout: margins, setting: fixed(0.1, 0.1301, 0.1301, 0.1301), trials: 1_000, goals: [{ figure: 'promoted', atMost: 0.05 }] }),
  ],
  rivals: [],
};
