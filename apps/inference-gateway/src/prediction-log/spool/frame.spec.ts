// Goal: a frame is read back exactly, and nothing that is not a whole frame is ever taken for one.
// Method: property tests over arbitrary payloads; truncation at every byte and a flip of every byte.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { frameHeaderBytes, readFrame, writeFrame } from './frame.js';

/** The text as UTF-8. */
function encodeFrame(number: number, text: string): Buffer {
  const payload = Buffer.from(text);
  const bytes = Buffer.alloc(frameHeaderBytes + payload.length);
  expect(writeFrame(bytes, 0, number, payload)).toBe(bytes.length);
  return bytes;
}

function readAll(bytes: Buffer): { number: number; text: string }[] {
  const frames = [];
  for (let frame = readFrame(bytes, 0); frame !== null; frame = readFrame(bytes, frame.end)) frames.push({ number: frame.number, text: frame.payload.toString('utf8') });
  return frames;
}

const payloads = fc.array(fc.string({ minLength: 1, maxLength: 40, unit: 'binary' }), { minLength: 1, maxLength: 6 });

describe('frame', () => {
  it('reads back what was written', () => {
    fc.assert(
      fc.property(payloads, (texts) => {
        const file = Buffer.concat(texts.map((text, index) => encodeFrame(1.7e15 + index, text)));
        expect(readAll(file)).toEqual(texts.map((text, index) => ({ number: 1.7e15 + index, text })));
      }),
    );
  });

  it('cut off at any byte, gives the whole frames before the cut and no other', () => {
    fc.assert(
      fc.property(payloads, (texts) => {
        const frames = texts.map((text, index) => encodeFrame(index + 1, text));
        const file = Buffer.concat(frames);
        const ends = frames.map((_, index) => frames.slice(0, index + 1).reduce((sum, { length }) => sum + length, 0));
        for (let cut = 0; cut <= file.length; cut += 1) {
          expect(readAll(file.subarray(0, cut)).map(({ text }) => text)).toEqual(texts.slice(0, ends.filter((end) => end <= cut).length));
        }
      }),
      { numRuns: 30 },
    );
  });

  it('with any byte flipped, is not read', () => {
    const frame = encodeFrame(7, 'payload of one frame');
    for (let index = 0; index < frame.length; index += 1) {
      const damaged = Buffer.from(frame);
      damaged.writeUInt8(damaged.readUInt8(index) ^ 0x10, index);
      expect(readAll(damaged)).toEqual([]);
    }
  });

  it('takes zeros, as a crashed machine leaves them, for no frame', () => {
    expect(readAll(Buffer.alloc(4096))).toEqual([]);
  });
});
