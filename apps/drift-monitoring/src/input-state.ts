import type { PredictionServed } from '@millrace/contracts';
import { emptyLike, mergeProfiles, observe, type FeatureProfile } from '@millrace/core/statistics';
import type { Reference } from './references.js';

/** What a version saw and said in a window: profiles with the bins of its reference. */
export interface InputState {
  readonly features: Record<string, FeatureProfile>;
  readonly output: FeatureProfile | null;
}

export function emptyInputs(reference: Reference | null): InputState {
  const features: Record<string, FeatureProfile> = {};
  for (const [name, profile] of Object.entries(reference?.features ?? {})) features[name] = emptyLike(profile);
  const output = reference?.output ?? null;
  return { features, output: output === null ? null : emptyLike(output) };
}

/** The score where there is one, the value of a regression, otherwise the class. */
function outputOf(profile: FeatureProfile, { label, probability, value }: PredictionServed['output']): number | string | null {
  if (profile.kind === 'number') return probability ?? value ?? null;
  return label === undefined ? null : String(label);
}

export function observeInputs(state: InputState, { features, output }: Pick<PredictionServed, 'features' | 'output'>): void {
  for (const [name, profile] of Object.entries(state.features)) observe(profile, Object.hasOwn(features, name) ? (features[name] ?? null) : null);
  if (state.output !== null) observe(state.output, outputOf(state.output, output));
}

/** A side that began before the reference was known has no profiles: what it lacks is not made up. */
export function mergeInputs(a: InputState, b: InputState): InputState {
  const features: Record<string, FeatureProfile> = { ...a.features };
  for (const [name, profile] of Object.entries(b.features)) {
    const mine = features[name];
    features[name] = mine === undefined ? profile : mergeProfiles(mine, profile);
  }
  return { features, output: a.output === null ? b.output : b.output === null ? a.output : mergeProfiles(a.output, b.output) };
}
