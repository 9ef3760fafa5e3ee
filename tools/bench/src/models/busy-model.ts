import { writeOnnx, type OnnxNode } from '@millrace/model-runtime/testing';

/** Numbers worked on per row: 256 KiB of floats stay within a core’s own cache. */
const width = 65_536;

/**
 * `y` = the mean over j of sin(sin(… x·j …)), `sines` times: it computes for a time proportional to rows and sines, and has
 * nothing that a batch could share. x is the mean of a row of the input `x` FP32 [n, columns]; output `y` FP32 [n, 1].
 */
export function busyModel(sines: number, columns = 1): Buffer {
  const chain: OnnxNode[] = Array.from({ length: sines }, (_, index) => ({ op: 'Sin', inputs: [`s${index}`], outputs: [`s${index + 1}`] }));
  const mean = (input: string, output: string): OnnxNode => ({ op: 'ReduceMean', inputs: [input], outputs: [output], attributes: { axes: { ints: [1] }, keepdims: { int: 1 } } });
  return writeOnnx({
    inputs: [{ name: 'x', type: 'FP32', shape: ['n', columns] }],
    outputs: [{ name: 'y', type: 'FP32', shape: ['n', 1] }],
    constants: [{ name: 'spread', shape: [1, width], floats: Array.from({ length: width }, (_, index) => index / width) }],
    nodes: [
      mean('x', 'one'),
      { op: 'Mul', inputs: ['one', 'spread'], outputs: ['s0'] },
      ...chain,
      mean(`s${sines}`, 'y'),
    ],
  });
}

/** `y` = `weight`·x, FP32 [n, 1]: as little as a model can be, and each with bytes of its own. */
export function tinyModel(weight: number): Buffer {
  return writeOnnx({
    inputs: [{ name: 'x', type: 'FP32', shape: ['n', 1] }],
    outputs: [{ name: 'y', type: 'FP32', shape: ['n', 1] }],
    constants: [{ name: 'weight', shape: [1, 1], floats: [weight] }],
    nodes: [{ op: 'Mul', inputs: ['x', 'weight'], outputs: ['y'] }],
  });
}
