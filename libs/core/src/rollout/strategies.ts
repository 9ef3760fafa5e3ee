import { everyDefault, linearShares, shareMaxOf, type ModelSpec, type RolloutStepSpec, type RolloutStepType, type RolloutStrategy } from '@millrace/contracts';
import { durationMs } from '../drift/index.js';
import { legsMax, type StepPolicy } from './rollout-policy.js';

type RolloutSpec = ModelSpec['spec']['rollout'];

/** The named strategies. What a step leaves open is filled in by the section of the spec that is nearest to its type. */
function namedSteps(strategy: RolloutStrategy, { shadow }: RolloutSpec): readonly RolloutStepSpec[] {
  switch (strategy) {
    case 'standard':
      return [{ type: 'shadow' }, { type: 'canary' }, { type: 'ab' }];
    case 'cautious':
      return [
        { type: 'shadow', rowsMin: 2 * shadow.pairsMin, onTimeout: 'hold' },
        { type: 'canary', share: 0.01, onTimeout: 'hold' },
        { type: 'canary', share: 0.05, onTimeout: 'hold' },
        { type: 'linear', from: 0.1, by: 0.1, to: 0.5, every: 'P1D', onTimeout: 'hold' },
      ];
    case 'fast':
      return [{ type: 'shadow', rowsMin: Math.ceil(shadow.pairsMin / 2) }, { type: 'ab', share: 0.5 }];
    case 'blue-green':
      return [{ type: 'shadow' }, { type: 'blue-green' }];
    case 'shadow-only':
      return [{ type: 'shadow', onPass: 'hold', onTimeout: 'hold' }];
  }
}

interface Defaults {
  readonly share: number;
  readonly rowsMin: number;
  readonly lossMargin: number;
  readonly duration: string;
}

function defaultsOf(type: RolloutStepType, { shadow, canary, ab, lossMargin }: RolloutSpec): Defaults {
  switch (type) {
    case 'shadow':
      return { share: 0, rowsMin: shadow.pairsMin, lossMargin, duration: shadow.duration };
    case 'blue-green':
      return { share: 1, rowsMin: shadow.pairsMin, lossMargin, duration: 'P1D' };
    case 'canary':
    case 'linear':
      return canary;
    case 'ab':
    case 'bandit':
      return ab;
  }
}

const floorDefault = 0.1;

function stepOf(spec: RolloutStepSpec, rollout: RolloutSpec): Omit<StepPolicy, 'name' | 'alpha'> {
  const { type } = spec;
  const defaults = defaultsOf(type, rollout);
  const everyMs = durationMs(spec.every ?? everyDefault);
  const { from, by, to } = linearShares(spec);
  const shareMax = shareMaxOf(rollout.candidatesMax);
  const ramp = type === 'linear' ? { by, to: Math.min(to, shareMax), everyMs } : null;
  const share = Math.min(shareMax, type === 'linear' ? from : type === 'bandit' ? (spec.share ?? 0.5) : (spec.share ?? defaults.share));
  const legs = legsMax({ share, ramp, following: null, durationMs: 0 });
  // A share that grows needs its time on top of the time to judge.
  const durationDefaultMs = durationMs(defaults.duration) + (legs - 1) * everyMs;
  const lastsMs = spec.duration === undefined ? durationDefaultMs : durationMs(spec.duration);
  return {
    type, share, ramp,
    following: type === 'bandit' ? { floor: spec.floor ?? floorDefault, everyMs } : null,
    rowsMin: spec.rowsMin ?? defaults.rowsMin,
    lossMargin: spec.lossMargin ?? defaults.lossMargin,
    require: spec.require ?? 'not-worse',
    soakMs: spec.soak !== undefined ? durationMs(spec.soak) : type === 'blue-green' ? lastsMs : 0,
    durationMs: lastsMs,
    exposureMaxMs: spec.exposureMax === undefined ? null : durationMs(spec.exposureMax),
    onTimeout: spec.onTimeout ?? (type === 'blue-green' ? 'go-on' : 'roll-back'),
    onPass: spec.onPass ?? 'go-on',
  };
}

/** The steps of a spec, each with its name (its type, numbered where there are several) and its part of the error. */
export function stepsOf(rollout: RolloutSpec, alphaOfStep: (steps: number) => number): StepPolicy[] {
  const specs = rollout.steps ?? namedSteps(rollout.strategy ?? 'standard', rollout);
  const alpha = alphaOfStep(specs.length);
  return specs.map((spec, index) => {
    const alike = specs.filter(({ type }) => type === spec.type).length;
    const number = specs.slice(0, index + 1).filter(({ type }) => type === spec.type).length;
    return { name: alike === 1 ? spec.type : `${spec.type}-${number}`, ...stepOf(spec, rollout), alpha };
  });
}
