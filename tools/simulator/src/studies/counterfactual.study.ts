import { armDecisions, counterfactualValue, type ArmDecision, type ArmPolicy, type CounterfactualValue, type LoggedDecision, type PolicyValue } from '@millrace/core/rollout';
import type { Chance } from '../chance.js';
import type { Cell, Goal, Study } from '../study.js';
import { eachTrial, mean } from './rollout-logs.js';

/** A world whose truth is known: what is drawn, and what the policy in question would lose. */
interface World {
  draw(chance: Chance): readonly LoggedDecision[];
  readonly truth: number;
}

interface Slice {
  readonly name: string;
  readonly share: number;
  /** Of the candidate, while the log was written. */
  readonly propensity: number;
  readonly champion: number;
  readonly candidate: number;
}

// Where the candidate answers less it also does worse: the raw means of the arms would mislead.
const slices: readonly Slice[] = [
  { name: 'short', share: 0.5, propensity: 0.5, champion: 0.1, candidate: 0.05 },
  { name: 'long', share: 0.3, propensity: 0.2, champion: 0.3, candidate: 0.35 },
  { name: 'night', share: 0.2, propensity: 0.1, champion: 0.5, candidate: 0.6 },
];

const candidateOnly: ArmPolicy = { candidate: 1 };
const valueOf = (policy: ArmPolicy): number => slices.reduce((sum, { share, champion, candidate }) => sum + share * ((policy['champion'] ?? 0) * champion + (policy['candidate'] ?? 0) * candidate), 0);

function sliceOf(chance: Chance): Slice {
  let left = chance.uniform();
  return slices.find(({ share }) => (left -= share) < 0) ?? slices[0] ?? { name: '', share: 1, propensity: 0.5, champion: 0, candidate: 0 };
}

type Loss = (chance: Chance, mean: number) => number;
const oneOrNone: Loss = (chance, rate) => chance.bernoulli(rate);
const exponential: Loss = (chance, rate) => rate * chance.exponential();

/** Units of one to `rowsPerUnit` rows; a unit keeps its arm, and half of the time all its rows lose alike. */
function splitWorld(units: number, policy: ArmPolicy, rowsPerUnit = 1, lossOf: Loss = oneOrNone): World {
  return {
    truth: valueOf(policy),
    draw(chance) {
      const log: ArmDecision[] = [];
      for (let unit = 0; unit < units; unit += 1) {
        const slice = sliceOf(chance);
        const isCandidate = chance.uniform() < slice.propensity;
        const rate = isCandidate ? slice.candidate : slice.champion;
        const [rows, alike, common] = [1 + chance.integer(rowsPerUnit), chance.uniform() < 0.5, lossOf(chance, rate)];
        for (let row = 0; row < rows; row += 1) {
          log.push({ unit: `u${unit}`, arm: isCandidate ? 'candidate' : 'champion', propensity: isCandidate ? slice.propensity : 1 - slice.propensity, loss: alike ? common : lossOf(chance, rate), slice: slice.name });
        }
      }
      return armDecisions(log, policy);
    },
  };
}

/** As `splitWorld`, but one slice never saw the candidate. */
function unsupportedWorld(units: number): World {
  const world = splitWorld(units, candidateOnly);
  return { truth: world.truth, draw: (chance) => world.draw(chance).map((each) => (each.propensity === 0.2 || each.propensity === 0.8 ? { ...each, propensity: 1, target: 0 } : each)) };
}

const covers = ({ value }: PolicyValue, truth: number): boolean => value.lower <= truth && truth <= value.upper;

function figuresOf(all: readonly CounterfactualValue[], truth: number): Record<string, number> {
  const told = all.filter(({ refusal }) => refusal === null);
  const refused = 1 - told.length / all.length;
  if (told.length === 0) return { refused };
  const of = (pick: (value: CounterfactualValue) => PolicyValue | null): PolicyValue[] => told.flatMap((each) => pick(each) ?? []);
  const [snipw, robust] = [of(({ selfNormalised }) => selfNormalised), of(({ doublyRobust }) => doublyRobust)];
  const covered = (values: readonly PolicyValue[]): number => values.filter((value) => covers(value, truth)).length / values.length;
  const bias = (values: readonly PolicyValue[]): number => mean(values.map(({ value }) => value.estimate)) - truth;
  const width = (values: readonly PolicyValue[]): number => mean(values.map(({ value }) => value.upper - value.lower));
  return { snipwCovered: covered(snipw), robustCovered: covered(robust), snipwBias: bias(snipw), robustBias: bias(robust), snipwWidth: width(snipw), robustWidth: width(robust), refused };
}

const covered: readonly Goal[] = ['snipwCovered', 'robustCovered'].map((figure) => ({ figure, atLeast: 0.93, atMost: 0.97 }));

function cell(id: string, about: string, world: World, goals: readonly Goal[], trials = 2_000): Cell {
  return {
    id, about, trials, goals,
    run(count, seed) {
      const values: CounterfactualValue[] = [];
      eachTrial(count, seed, (chance) => values.push(counterfactualValue(world.draw(chance))));
      return figuresOf(values, world.truth);
    },
  };
}

export const counterfactualStudy: Study = {
  name: 'counterfactual',
  title: 'Counterfactual value',
  method:
    'A log of three slices, in which the candidate answers 50, 20 and 10 % of the units and does worse where it answers less; its value had it answered everything is known in closed form. 95 % intervals of the self-normalised inverse propensity estimate and of the doubly robust one (means per arm and slice, cross-fitted) must hold the truth in 93 to 97 % of the logs that are not refused; logs that cannot tell must be refused.',
  cells: [
    cell('covered/1000', 'candidate for all, 1,000 units', splitWorld(1_000, candidateOnly), covered),
    cell('covered/5000', 'candidate for all, 5,000 units', splitWorld(5_000, candidateOnly), covered),
    cell('covered/mixed', 'a policy of half and half, 2,000 units', splitWorld(2_000, { champion: 0.5, candidate: 0.5 }), covered),
    cell('covered/units', 'candidate for all, 1,500 units of up to 6 rows that hang together', splitWorld(1_500, candidateOnly, 6), covered),
    cell('covered/exponential', 'candidate for all, exponential losses, 3,000 units', splitWorld(3_000, candidateOnly, 1, exponential), covered),
    cell('refused/support', 'one slice of 30 % never saw the candidate, 2,000 units', unsupportedWorld(2_000), [{ figure: 'refused', atLeast: 0.95 }]),
    cell('refused/few', 'candidate for all, 200 units', splitWorld(200, candidateOnly), [{ figure: 'refused', atLeast: 0.95 }]),
  ],
  rivals: [],
};
