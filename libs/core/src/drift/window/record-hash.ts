import { murmurHash3 } from '../../inference/murmur-hash.js';

const [seedLow, seedHigh] = [0x1b873593, 0x52dce729];
const scratch = new Uint8Array(1_024);
const utf8 = new TextEncoder();

/** 53 bits of an id. Two of a million ids share one with probability 6e-5 (birthday bound). */
export function recordHash(id: string): number {
  const bytes = id.length * 3 <= scratch.length ? scratch.subarray(0, utf8.encodeInto(id, scratch).written) : utf8.encode(id);
  return (murmurHash3(bytes, seedHigh) >>> 11) * 2 ** 32 + murmurHash3(bytes, seedLow);
}
