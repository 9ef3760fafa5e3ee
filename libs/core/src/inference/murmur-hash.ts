/**
 * MurmurHash3_x86_32 (Austin Appleby, public domain; https://github.com/aappleby/smhasher): fast, well mixed, not
 * cryptographic: whoever can choose unit ids at will can choose their arm.
 * @param seed unsigned 32-bit.
 * @returns unsigned 32-bit.
 */
export function murmurHash3(bytes: Uint8Array, seed: number): number {
  let hash = seed;
  const blocksEnd = bytes.length & ~3;
  for (let at = 0; at < blocksEnd; at += 4) {
    const block = byteAt(bytes, at) | (byteAt(bytes, at + 1) << 8) | (byteAt(bytes, at + 2) << 16) | (byteAt(bytes, at + 3) << 24);
    hash ^= scramble(block);
    hash = Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64;
  }
  let tail = 0;
  for (let at = bytes.length - 1; at >= blocksEnd; at -= 1) tail = (tail << 8) | byteAt(bytes, at);
  if (blocksEnd < bytes.length) hash ^= scramble(tail);
  return avalanche(hash ^ bytes.length);
}

const byteAt = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0;

function scramble(block: number): number {
  const k = Math.imul(block, 0xcc9e2d51);
  return Math.imul((k << 15) | (k >>> 17), 0x1b873593);
}

function avalanche(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
