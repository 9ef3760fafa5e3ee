import { onnxTypes, writeOnnx, type OnnxNode, type OnnxValue } from './onnx-writer.js';

/**
 * y = x, `times` turns of a loop later: takes as long as it is asked to, in native code. times INT64 [1], x FP32 [n, w].
 * @param gather also gives `all` FP32 [times, n, w], so that its memory grows with each turn.
 */
export function loopModel({ gather = false } = {}): Buffer {
  const x: OnnxValue = { name: 'x', type: 'FP32', shape: ['n', 'w'] };
  const body: OnnxNode[] = [
    { op: 'Identity', inputs: ['go'], outputs: ['goOn'] },
    { op: 'Neg', inputs: ['value'], outputs: ['negative'] },
    { op: 'Neg', inputs: ['negative'], outputs: ['next'] },
    ...(gather ? [{ op: 'Identity', inputs: ['next'], outputs: ['each'] }] : []),
  ];
  const outputs: OnnxValue[] = [{ name: 'y', type: 'FP32', shape: ['n', 'w'] }];
  if (gather) outputs.push({ name: 'all', type: 'FP32', shape: ['t', 'n', 'w'] });
  const graph = {
    inputs: [{ name: 'turn', type: 'INT64' as const, shape: [] }, { name: 'go', type: 'BOOL' as const, shape: [] }, { ...x, name: 'value' }],
    outputs: [{ name: 'goOn', type: 'BOOL' as const, shape: [] }, { ...x, name: 'next' }, ...(gather ? [{ ...x, name: 'each' }] : [])],
    nodes: body,
  };
  return writeOnnx({
    inputs: [{ name: 'times', type: 'INT64', shape: [1] }, x],
    outputs,
    nodes: [{ op: 'Loop', inputs: ['times', '', 'x'], outputs: outputs.map(({ name }) => name), attributes: { body: { graph } } }],
  });
}

/**
 * y = a / b in whole numbers. -2^31 / -1 has no INT32 answer: the runtime (1.30) looks for zeros only, and an x86 processor
 * ends the process with SIGFPE.
 */
export function integerDivisionModel(): Buffer {
  const column = (name: string): OnnxValue => ({ name, type: 'INT32', shape: ['n', 1] });
  return writeOnnx({
    inputs: [column('a'), column('b')],
    outputs: [column('y')],
    nodes: [{ op: 'Div', inputs: ['a', 'b'], outputs: ['y'] }],
  });
}

/** y = x, beside the smallest INT64 divided by -1: the runtime works that out while it loads the file, and dies of it. */
export function crashingFile(): Buffer {
  const tensor = (name: string): OnnxValue => ({ name, type: 'INT64', shape: [1] });
  return writeOnnx({
    inputs: [tensor('x')],
    outputs: [tensor('y')],
    nodes: [
      { op: 'Constant', inputs: [], outputs: ['least'], attributes: { value_ints: { ints: [-(2 ** 63)] } } },
      { op: 'Constant', inputs: [], outputs: ['minusOne'], attributes: { value_ints: { ints: [-1] } } },
      { op: 'Div', inputs: ['least', 'minusOne'], outputs: ['quotient'] },
      { op: 'Add', inputs: ['x', 'quotient'], outputs: ['y'] },
    ],
  });
}

/** Products of large matrices that the runtime works out while it loads the file: minutes on one core. */
export function endlessFile(): Buffer {
  const products: OnnxNode[] = Array.from({ length: 50 }, (_, index) => ({ op: 'MatMul', inputs: [`m${index}`, 'm0'], outputs: [`m${index + 1}`] }));
  return writeOnnx({
    inputs: [{ name: 'x', type: 'FP32', shape: [1, 1] }],
    outputs: [{ name: 'y', type: 'FP32', shape: ['a', 'b'] }],
    nodes: [
      { op: 'Constant', inputs: [], outputs: ['size'], attributes: { value_ints: { ints: [4000, 4000] } } },
      { op: 'Expand', inputs: ['one', 'size'], outputs: ['m0'] },
      ...products,
      { op: 'Add', inputs: ['x', 'm50'], outputs: ['y'] },
    ],
    constants: [{ name: 'one', shape: [1, 1], floats: [1] }],
  });
}

/**
 * Looks like a logistic regression with `distance` FP32 and `carrier` BYTES: outputs `label` INT64 [n] and `probabilities` FP32
 * [n, 2]. It answers 0.4 and 0.6 where the distance is below 1; any other is no row of its table, and the run fails.
 */
export function brittleModel(): Buffer {
  return writeOnnx({
    inputs: [{ name: 'distance', type: 'FP32', shape: ['n', 1] }, { name: 'carrier', type: 'BYTES', shape: ['n', 1] }],
    outputs: [{ name: 'label', type: 'INT64', shape: ['n'] }, { name: 'probabilities', type: 'FP32', shape: ['n', 2] }],
    nodes: [
      { op: 'Cast', inputs: ['distance'], outputs: ['rows'], attributes: { to: { int: onnxTypes.INT64 } } },
      { op: 'Constant', inputs: [], outputs: ['flat'], attributes: { value_ints: { ints: [-1] } } },
      { op: 'Reshape', inputs: ['rows', 'flat'], outputs: ['row'] },
      { op: 'Gather', inputs: ['table', 'row'], outputs: ['probabilities'], attributes: { axis: { int: 0 } } },
      { op: 'ArgMax', inputs: ['probabilities'], outputs: ['label'], attributes: { axis: { int: 1 }, keepdims: { int: 0 } } },
    ],
    constants: [{ name: 'table', shape: [1, 2], floats: [0.4, 0.6] }],
  });
}
