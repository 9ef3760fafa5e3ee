import { MillraceError } from '@millrace/contracts';
import { murmurHash3 } from './murmur-hash.js';

const utf8 = new TextEncoder();
const scratch = new Uint8Array(1024); // spares an allocation per request for all but very long ids

function hashText(text: string): number {
  if (text.length * 3 > scratch.length) return murmurHash3(utf8.encode(text), 0);
  return murmurHash3(scratch.subarray(0, utf8.encodeInto(text, scratch).written), 0);
}

/**
 * Where a unit stands in [0, 1) for this salt: MurmurHash3_x86_32, seed 0, of the UTF-8 text
 * `<length of salt in UTF-16 units>:<salt><unit>`, divided by 2^32. The same on every replica, in every process, forever.
 */
export function positionOf(salt: string, unit: string): number {
  return hashText(`${salt.length}:${salt}${unit}`) / 2 ** 32;
}

export interface Arm<N extends string = string> {
  readonly name: N;
  /** Part of the units, in [0, 1]. */
  readonly share: number;
}

export interface Assignment<N extends string = string> {
  readonly arm: N;
  /** Probability with which a unit is given this arm: its share. */
  readonly probability: number;
}

const shareSumTolerance = 1e-9;

/**
 * Gives a unit its arm. The arms lie side by side on [0, 1) in the order given, so name the candidate first: it lies on
 * [0, share), and growing its share never moves a unit out of it.
 * @param arms shares sum to 1, within 1e-9; the last arm takes what rounding leaves.
 * @throws MillraceError REQUEST_INVALID when the shares are none.
 */
export function assignArm<N extends string>(salt: string, unit: string, arms: readonly Arm<N>[]): Assignment<N> {
  const sum = arms.reduce((total, { share }) => total + share, 0);
  const last = arms.at(-1);
  if (last === undefined || !arms.every(({ share }) => share >= 0 && share <= 1) || !(Math.abs(sum - 1) <= shareSumTolerance)) {
    throw new MillraceError('REQUEST_INVALID', `the shares of the arms must each lie in [0, 1] and sum to 1, not ${sum}`);
  }
  const position = positionOf(salt, unit);
  let end = 0;
  for (const { name, share } of arms) {
    end += share;
    if (position < end) return { arm: name, probability: share };
  }
  return { arm: last.name, probability: last.share };
}
