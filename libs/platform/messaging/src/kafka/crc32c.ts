/** Castagnoli’s polynomial, reflected. */
const polynomial = 0x82f63b78;

/** tables[k][b]: the checksum of byte b with k zero bytes behind it, so that eight bytes are taken at a time. */
const tables: readonly Int32Array[] = makeTables();

function makeTables(): Int32Array[] {
  const first = Int32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    return crc;
  });
  const all = [first];
  for (let k = 1; k < 8; k += 1) {
    const before = all[k - 1] ?? first;
    all.push(before.map((crc) => (crc >>> 8) ^ (first[crc & 0xff] ?? 0)));
  }
  return all;
}

/** CRC-32C (RFC 3720, appendix B.4), unsigned. */
export function crc32c(bytes: Buffer): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as readonly [Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array];
  const at = (table: Int32Array, index: number): number => table[index & 0xff] ?? 0;
  let crc = -1;
  let index = 0;
  for (const end = bytes.length - 7; index < end; index += 8) {
    const low = crc ^ bytes.readInt32LE(index);
    const high = bytes.readInt32LE(index + 4);
    crc = at(t7, low) ^ at(t6, low >>> 8) ^ at(t5, low >>> 16) ^ at(t4, low >>> 24) ^ at(t3, high) ^ at(t2, high >>> 8) ^ at(t1, high >>> 16) ^ at(t0, high >>> 24);
  }
  for (; index < bytes.length; index += 1) crc = (crc >>> 8) ^ at(t0, crc ^ (bytes[index] ?? 0));
  return (crc ^ -1) >>> 0;
}
