// Goal: what one side of the stream writes, the other reads, whatever the pieces it arrives in.
// Method: one frame against bytes laid out by hand; random tensors of every datatype, cut at random places.
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { Tensor } from '@millrace/contracts';
import { Frame, frameKinds, jsonFrame, tensorFrame } from './frame.js';
import { FrameStream } from './frame-stream.js';

const head = { exchange: 7, slot: 3, kind: frameKinds.run, first: 1.5 };
const single = (tensor: Tensor) => ({ datatype: tensor.datatype, shape: tensor.shape, parts: [tensor] });

const numeric: ((values: number[], shape: number[]) => Tensor)[] = [
  (values, shape) => ({ datatype: 'BOOL', shape, data: Uint8Array.from(values, (value) => value & 1) }),
  (values, shape) => ({ datatype: 'UINT8', shape, data: Uint8Array.from(values) }),
  (values, shape) => ({ datatype: 'UINT16', shape, data: Uint16Array.from(values) }),
  (values, shape) => ({ datatype: 'UINT32', shape, data: Uint32Array.from(values) }),
  (values, shape) => ({ datatype: 'UINT64', shape, data: BigUint64Array.from(values, BigInt) }),
  (values, shape) => ({ datatype: 'INT8', shape, data: Int8Array.from(values) }),
  (values, shape) => ({ datatype: 'INT16', shape, data: Int16Array.from(values) }),
  (values, shape) => ({ datatype: 'INT32', shape, data: Int32Array.from(values) }),
  (values, shape) => ({ datatype: 'INT64', shape, data: BigInt64Array.from(values, BigInt) }),
  (values, shape) => ({ datatype: 'FP16', shape, data: Uint16Array.from(values) }),
  (values, shape) => ({ datatype: 'FP32', shape, data: Float32Array.from(values) }),
  (values, shape) => ({ datatype: 'FP64', shape, data: Float64Array.from(values) }),
];
const shapes = fc.array(fc.nat({ max: 3 }), { maxLength: 3 });
const sizeOf = (shape: readonly number[]): number => shape.reduce((product, dim) => product * dim, 1);
const withoutNul = fc.string({ unit: 'binary', maxLength: 5 }).map((text) => text.replaceAll('\0', ''));
const tensors = shapes.chain((shape): fc.Arbitrary<Tensor> => fc.oneof(
  fc.tuple(fc.constantFrom(...numeric), fc.array(fc.nat(), { minLength: sizeOf(shape), maxLength: sizeOf(shape) })).map(([make, values]) => make(values, shape)),
  fc.array(withoutNul, { minLength: sizeOf(shape), maxLength: sizeOf(shape) }).map((data): Tensor => ({ datatype: 'BYTES', shape, data })),
));

describe('a frame', () => {
  it('lies in memory as its grammar says', () => {
    const bytes = tensorFrame(head, [single({ datatype: 'INT16', shape: [1, 3], data: Int16Array.of(1, -1, 256) })]);
    const hex = [
      '50000000', '07000000', '03000000', '0200', '0100', // 80 bytes, exchange, slot, run, one tensor
      '000000000000f83f', '0000000000000000', '0000000000000000', // 1.5, 0, 0
      '0600', '0200', '00000000', '0000000000001840', // INT16 is the seventh datatype, rank 2, 6 bytes
      '000000000000f03f', '0000000000000840', // 1 by 3
      '0100', 'ffff', '0001',
    ].join('');
    expect(bytes.length).toBe(80);
    expect(Buffer.from(bytes.subarray(0, 78)).toString('hex')).toBe(hex);
  });

  it('gives back every tensor, joined from parts and cut into any pieces', () => {
    fc.assert(fc.property(fc.array(tensors, { maxLength: 4 }), fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 20 }), fc.nat({ max: 7 }), (given, cuts, shift) => {
      const first = tensorFrame(head, given.map(single));
      const second = jsonFrame({ ...head, exchange: 8 }, { reason: 'é\n' });
      const memory = new Uint8Array(shift + first.length + second.length); // pieces at unaligned places too
      memory.set(first, shift);
      memory.set(second, shift + first.length);
      const frames: Frame[] = [];
      const stream = new FrameStream((frame) => frames.push(frame));
      for (let at = shift, turn = 0; at < memory.length; turn += 1) {
        const end = Math.min(memory.length, at + (cuts[turn % cuts.length] ?? 1));
        stream.take(memory.subarray(at, end));
        at = end;
      }
      expect(frames.map(({ exchange }) => exchange)).toEqual([7, 8]);
      expect(frames[0]).toMatchObject({ slot: 3, kind: frameKinds.run, first: 1.5 });
      expect(frames[0]?.tensors()).toEqual(given);
      expect(frames[1]?.json()).toEqual({ reason: 'é\n' });
    }), { numRuns: 500 });
  });

  it('joins texts across parts, empty ones and parts without any included', () => {
    const texts = (...data: string[]): Tensor => ({ datatype: 'BYTES', shape: [data.length], data });
    for (const parts of [[texts('a', ''), texts(), texts('', 'b')], [texts(''), texts()], [texts(), texts()], [texts(''), texts('')]]) {
      const data = parts.flatMap((part) => part.data as readonly string[]);
      const bytes = tensorFrame(head, [{ datatype: 'BYTES', shape: [data.length], parts }]);
      expect(Frame.over(bytes).tensors()).toEqual([{ datatype: 'BYTES', shape: [data.length], data }]);
    }
  });
});
