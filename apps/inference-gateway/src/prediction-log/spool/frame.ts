import { crc32 } from 'node:zlib';

/**
 * One frame of the spool, little-endian:
 *   length   u32  bytes of the payload, at least 1
 *   crc32    u32  over number and payload
 *   number   f64  strictly increasing; microseconds since the epoch, so that it also tells the frame’s age
 *   payload  records, see `RecordBytes` of libs/platform/messaging
 * A process that dies while writing leaves a torn frame at the end of its file; nothing follows it.
 */
export const frameHeaderBytes = 16;

export interface Frame {
  readonly number: number;
  readonly payload: Buffer;
  /** Offset of the first byte behind the frame. */
  readonly end: number;
}

/** @returns the offset behind the frame. */
export function writeFrame(bytes: Buffer, at: number, number: number, payload: Uint8Array): number {
  const end = at + frameHeaderBytes + payload.length;
  bytes.writeUInt32LE(payload.length, at);
  bytes.writeDoubleLE(number, at + 8);
  bytes.set(payload, at + frameHeaderBytes);
  bytes.writeUInt32LE(crc32(bytes.subarray(at + 8, end)), at + 4);
  return end;
}

/** How many bytes the frame at `offset` takes, by its header; null when not even the header is there. */
export function frameBytesAt(bytes: Buffer, offset: number): number | null {
  return bytes.length - offset < frameHeaderBytes ? null : frameHeaderBytes + bytes.readUInt32LE(offset);
}

/** Null when no whole, intact frame stands at `offset`: the end, a torn tail, or damage. */
export function readFrame(bytes: Buffer, offset: number): Frame | null {
  const size = frameBytesAt(bytes, offset);
  if (size === null || size === frameHeaderBytes || bytes.length - offset < size) return null;
  const end = offset + size;
  if (crc32(bytes.subarray(offset + 8, end)) !== bytes.readUInt32LE(offset + 4)) return null;
  return { number: bytes.readDoubleLE(offset + 8), payload: bytes.subarray(offset + frameHeaderBytes, end), end };
}
