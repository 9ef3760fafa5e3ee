import type { ModelSignature } from '@millrace/contracts';
import { writeOnnx, type OnnxValue } from '@millrace/model-runtime/testing';

const column = (name: string): OnnxValue => ({ name, type: 'FP32', shape: ['n', 1] });

/** Features a and b → prediction. */
export const ratioSignature: ModelSignature = {
  inputs: ['a', 'b'].map((name) => ({ name, datatype: 'FP32', shape: [-1, 1] })),
  outputs: [{ name: 'prediction', datatype: 'FP32', shape: [-1, 1] }],
  task: 'regression', classes: [], positiveIndex: null,
};

/** prediction = ⌊a / b⌋ in whole numbers; `fatalRow` ends the process that runs it (see integerDivisionModel). */
export function divisionModel(): Buffer {
  const cast = (from: string, to: string, type: number) => ({ op: 'Cast', inputs: [from], outputs: [to], attributes: { to: { int: type } } });
  return writeOnnx({
    inputs: [column('a'), column('b')],
    outputs: [column('prediction')],
    nodes: [cast('a', 'wholeA', 6), cast('b', 'wholeB', 6), { op: 'Div', inputs: ['wholeA', 'wholeB'], outputs: ['whole'] }, cast('whole', 'prediction', 1)],
  });
}
export const fatalRow = { a: -(2 ** 31), b: -1 };

/** prediction = a + b, and cannot fail. */
export function sumModel(output = 'prediction'): Buffer {
  return writeOnnx({ inputs: [column('a'), column('b')], outputs: [column(output)], nodes: [{ op: 'Add', inputs: ['a', 'b'], outputs: [output] }] });
}
