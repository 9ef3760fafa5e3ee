import { writeOnnx, type OnnxNode, type OnnxValue } from './onnx-writer.js';

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
