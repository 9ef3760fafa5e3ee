import { Type, type Static } from '@sinclair/typebox';
import { Duration, durationMs, Literals, Share } from '../scalars.js';

const closed = { additionalProperties: false } as const;

export const rolloutStepTypes = ['shadow', 'canary', 'linear', 'ab', 'bandit', 'blue-green'] as const;
export type RolloutStepType = (typeof rolloutStepTypes)[number];

export const rolloutStrategies = ['standard', 'cautious', 'fast', 'blue-green', 'shadow-only'] as const;
export type RolloutStrategy = (typeof rolloutStrategies)[number];

/** One step of a roll-out. What is absent is taken from the section `shadow`, `canary` or `ab` that is nearest to its type. */
export const RolloutStepSpec = Type.Object(
  {
    type: Literals(rolloutStepTypes, {
      description: 'shadow: asked, never heard; canary, ab: a fixed share; linear: a share that grows; bandit: a share that follows the evidence; blue-green: all units at once, the old champion asked beside it and ready to come back',
    }),
    share: Type.Optional(Share({ description: 'canary, ab: part of the units that the candidate answers' })),
    from: Type.Optional(Share({ description: 'linear: first share' })),
    by: Type.Optional(Share({ description: 'linear: what is added each time' })),
    to: Type.Optional(Share({ description: 'linear: last share; the step can be passed there only' })),
    every: Type.Optional(Duration({ description: 'linear, bandit: stream clock between two changes of the share' })),
    floor: Type.Optional(Type.Number({ minimum: 0.01, maximum: 0.5, description: 'bandit: smallest share that either arm keeps' })),
    rowsMin: Type.Optional(Type.Integer({ minimum: 1, description: 'outcomes of the candidate (shadow and blue-green: pairs) before the step can be passed' })),
    lossMargin: Type.Optional(Type.Number({ minimum: 0, description: 'how much larger mean loss still counts as not worse' })),
    require: Type.Optional(Literals(['better', 'not-worse'], { description: 'the verdict that passes the step; absent: not-worse' })),
    soak: Type.Optional(Duration({ description: 'stream clock; the step is not passed sooner, whatever the evidence' })),
    duration: Type.Optional(Duration({ description: 'stream clock; without the required verdict by then, see onTimeout' })),
    exposureMax: Type.Optional(Duration({ description: 'share × time, as time of the whole traffic: a share of 0.1 uses it up ten times as slowly; then see onTimeout' })),
    onTimeout: Type.Optional(Literals(['roll-back', 'hold', 'go-on'], { description: 'hold: wait for a person; go-on: pass on rowsMin outcomes that show no harm. Absent: roll-back; blue-green: go-on' })),
    onPass: Type.Optional(Literals(['go-on', 'hold'], { description: 'hold: a person lets it go on. Absent: go-on' })),
  },
  closed,
);
export type RolloutStepSpec = Static<typeof RolloutStepSpec>;

/** With more, the first share of a linear step would no longer fit. */
const candidatesMost = 5;

/** Largest share of the units that one of several candidates answers: the champion keeps as much as each of them. */
export const shareMaxOf = (candidatesMax: number): number => (candidatesMax === 1 ? 1 : 1 / (candidatesMax + 1));

/** Members of the section `rollout` that say which steps there are and how they are judged together. */
export const rolloutStrategyMembers = {
  strategy: Type.Optional(Literals(rolloutStrategies, { description: 'a named list of steps; absent: standard, which is shadow → canary → ab' })),
  steps: Type.Optional(Type.Array(RolloutStepSpec, { minItems: 1, maxItems: 20, description: 'the steps in their order, instead of a named strategy' })),
  candidatesMax: Type.Integer({ minimum: 1, maximum: candidatesMost, default: 1, description: 'A/B/n: candidates that are tried at the same time, each by a roll-out of its own against the same champion. Every error and exposureMax are parted among so many, no share exceeds 1 / (candidatesMax + 1), and of those that have passed their last step the one with the smallest loss is promoted; the others are superseded' }),
  slices: Type.Array(Type.String({ minLength: 1 }), { default: [], maxItems: 5, description: 'category features; a value of one for which the candidate is worse takes it back, in any step' }),
  slicesAlphaShare: Type.Number({ exclusiveMinimum: 0, maximum: 0.5, default: 0.2, description: 'chance that any slice takes back a candidate that is nowhere worse, as a part of the roll-out’s alpha; only used with slices' }),
  futilityBeta: Type.Number({ minimum: 0, maximum: 0.5, default: 0.1, description: 'chance that the roll-out of an equal or better candidate is ended early because no verdict seems near; 0: it always runs its time' }),
  exposureMax: Type.Optional(Duration({ description: 'share × time over all steps; when it is used up the step under way ends as on its timeout, but never goes on' })),
  onRevision: Literals(['roll-back', 'tell'], { default: 'roll-back', description: 'what happens when late labels turn the verdict that promoted the candidate into “worse”, while the old champion can still be routed' }),
};

interface Mistake {
  readonly path: string;
  readonly message: string;
}

const membersOf: Readonly<Record<RolloutStepType, readonly string[]>> = { shadow: [], canary: ['share'], linear: ['from', 'by', 'to', 'every'], ab: ['share'], bandit: ['share', 'floor', 'every'], 'blue-green': [] };
const shareMembers = ['share', 'from', 'by', 'to', 'every', 'floor'] as const;

const isInside = (share: number | undefined): boolean => share === undefined || (share > 0 && share < 1);

function stepMistakes(step: RolloutStepSpec, path: string): Mistake[] {
  const mistakes: Mistake[] = [];
  for (const member of shareMembers) if (step[member] !== undefined && !membersOf[step.type].includes(member)) mistakes.push({ path: `${path}/${member}`, message: `a ${step.type} step has no ${member}` });
  for (const member of ['share', 'from', 'to'] as const) if (!isInside(step[member])) mistakes.push({ path: `${path}/${member}`, message: 'must lie between 0 and 1, both left out: units are compared with units' });
  if (step.type === 'linear') {
    const { from, by, to } = linearShares(step);
    if (from >= to) mistakes.push({ path: `${path}/to`, message: `the share must grow: from ${from} to ${to}` });
    const growsMs = by > 0 ? Math.ceil((to - from) / by - 1e-9) * durationMs(step.every ?? everyDefault) : 0;
    if (step.duration !== undefined && durationMs(step.duration) < growsMs) mistakes.push({ path: `${path}/duration`, message: `the share needs ${growsMs / 3_600_000} hours to reach its end` });
    if (by <= 0 || (to - from) / by > 50) mistakes.push({ path: `${path}/by`, message: 'the share must reach its end in at most 50 additions' });
  }
  if (step.soak !== undefined && step.duration !== undefined && durationMs(step.soak) > durationMs(step.duration)) mistakes.push({ path: `${path}/soak`, message: 'the step would be over before it may be passed' });
  if (step.require === 'better' && step.onTimeout === 'go-on') mistakes.push({ path: `${path}/onTimeout`, message: 'a step that requires “better” cannot go on without it' });
  return mistakes;
}

/** Stream clock between two changes of a share. */
export const everyDefault = 'P1D';

/** The shares of a linear step with its defaults. */
export function linearShares({ from = 0.1, by = 0.1, to = 0.5 }: Pick<RolloutStepSpec, 'from' | 'by' | 'to'>): { from: number; by: number; to: number } {
  return { from, by, to };
}

/** Largest share of a step’s units that the candidate answers, as far as it is written down; null: none, or not known before. */
function topShare(step: RolloutStepSpec): number | null {
  if (step.type === 'linear') return linearShares(step).to;
  return step.type === 'canary' || step.type === 'ab' ? (step.share ?? null) : null;
}
const firstShare = (step: RolloutStepSpec): number | null => (step.type === 'linear' ? linearShares(step).from : topShare(step));

interface RolloutSection {
  readonly strategy?: RolloutStrategy;
  readonly steps?: readonly RolloutStepSpec[];
  readonly slices: readonly string[];
  readonly slicesAlphaShare: number;
  readonly candidatesMax: number;
  readonly guards: { readonly alphaShare: number };
}

/** What does not go together with several candidates at once. */
function candidatesMistakes({ candidatesMax, strategy, steps = [] }: RolloutSection): Mistake[] {
  if (candidatesMax === 1) return [];
  const at = '/spec/rollout';
  const most = shareMaxOf(candidatesMax);
  const alone = strategy === 'blue-green' ? [{ path: `${at}/strategy`, message: 'blue-green gives one candidate all units; with several, candidatesMax must be 1' }] : [];
  return [...alone, ...steps.flatMap((step, index) => {
    const path = `${at}/steps/${index}`;
    if (step.type === 'blue-green' || step.type === 'bandit') return [{ path: `${path}/type`, message: `a ${step.type} step compares one candidate with the champion; with several, candidatesMax must be 1` }];
    return (['share', 'from', 'to'] as const).flatMap((member) => ((step[member] ?? 0) > most ? [{ path: `${path}/${member}`, message: `with ${candidatesMax} candidates at once, each may answer at most 1/${candidatesMax + 1} of the units` }] : []));
  })];
}

/** Mistakes that one member alone does not show, with their JSON pointers. @param categories features that a slice may name. */
export function rolloutMistakes(section: RolloutSection, categories: ReadonlySet<string>): Mistake[] {
  const { strategy, steps, slices, slicesAlphaShare, guards } = section;
  const at = '/spec/rollout';
  const mistakes: Mistake[] = candidatesMistakes(section);
  if (strategy !== undefined && steps !== undefined) mistakes.push({ path: `${at}/steps`, message: `give steps or a strategy, not both (it is ${strategy})` });
  let before: number | null = null;
  (steps ?? []).forEach((step, index) => {
    const path = `${at}/steps/${index}`;
    mistakes.push(...stepMistakes(step, path));
    const first = firstShare(step);
    if (before !== null && first !== null && first < before) mistakes.push({ path: `${path}/${step.type === 'linear' ? 'from' : 'share'}`, message: `it is smaller than the share before it, ${before}: units would change back and forth` });
    before = topShare(step) ?? before;
    if (step.type === 'blue-green' && index !== (steps?.length ?? 0) - 1) mistakes.push({ path, message: 'a blue-green step answers everybody; nothing can follow it' });
    if (step.type === 'shadow' && before !== null) mistakes.push({ path, message: 'a shadow step after one that answers would take back what was given' });
  });
  slices.forEach((field, index) => {
    if (!categories.has(field)) mistakes.push({ path: `${at}/slices/${index}`, message: `${field} is no category feature` });
    if (slices.indexOf(field) !== index) mistakes.push({ path: `${at}/slices/${index}`, message: `${field} is named twice` });
  });
  if (guards.alphaShare + (slices.length === 0 ? 0 : slicesAlphaShare) > 0.9) mistakes.push({ path: `${at}/guards/alphaShare`, message: 'guards and slices leave less than a tenth of alpha to the verdicts of the steps' });
  return mistakes;
}
