// Goal: tensors become answers by the signature alone, and an answer that makes no sense is refused.
// Method: outputs written by hand as the stock trainer and scikit-learn's converter give them.
import { describe, expect, it } from '@jest/globals';
import { interpretOutput, type OutputMeaning, type Tensors } from './index.js';

const floats = (shape: number[], ...values: number[]): Tensors[string] => ({ datatype: 'FP32', shape, data: Float32Array.from(values) });
const binary: OutputMeaning = { task: 'binary', classes: ['false', 'true'], positiveIndex: 1 };
const grades: OutputMeaning = { task: 'multiclass', classes: ['low', 'middle', 'high'], positiveIndex: null };
const regression: OutputMeaning = { task: 'regression', classes: [], positiveIndex: null };

describe('binary', () => {
  const label: Tensors[string] = { datatype: 'INT64', shape: [3], data: BigInt64Array.of(1n, 0n, 0n) };

  it('is the probability of the positive class and the more probable label; a tie is the first class', () => {
    expect(interpretOutput({ label, probabilities: floats([3, 2], 0.25, 0.75, 1, 0, 0.5, 0.5) }, binary, 3)).toEqual([
      { label: true, probability: 0.75 },
      { label: false, probability: 0 },
      { label: false, probability: 0.5 },
    ]);
  });

  it('heeds which class is the positive one, and keeps class texts that are no truth values', () => {
    const meaning: OutputMeaning = { task: 'binary', classes: ['late', 'on time'], positiveIndex: 0 };
    expect(interpretOutput({ probabilities: floats([1, 2], 0.75, 0.25) }, meaning, 1)).toEqual([{ label: 'late', probability: 0.75 }]);
    expect(interpretOutput({ p: floats([1, 1], 0.25) }, meaning, 1)).toEqual([{ label: 'on time', probability: 0.25 }]);
  });

  it('takes one column as the positive class, whatever the output is called', () => {
    expect(interpretOutput({ label, output_probability: floats([3], 0.75, 0.25, 0.625) }, binary, 3).map(({ probability }) => probability)).toEqual([0.75, 0.25, 0.625]);
  });

  it('forgives rounding outside [0, 1] and nothing more', () => {
    expect(interpretOutput({ probabilities: floats([1, 2], -1e-7, 1.0000001) }, binary, 1)).toEqual([{ label: true, probability: 1 }]);
  });

  it.each([
    ['a probability above 1', { probabilities: floats([1, 2], -0.2, 1.2) }],
    ['NaN', { probabilities: floats([1, 2], NaN, NaN) }],
    ['a row too few', { probabilities: floats([0, 2]) }],
    ['three columns', { probabilities: floats([1, 3], 0.1, 0.2, 0.7) }],
    ['no floating-point output', { label }],
    ['two outputs that could be it', { a: floats([1, 2], 0, 1), b: floats([1, 2], 1, 0) }],
  ])('refuses %s', (_case, outputs) => {
    expect(() => interpretOutput(outputs, binary, 1)).toThrow(expect.objectContaining({ code: 'MODEL_RUN_FAILED' }));
  });
});

describe('multi-class and regression', () => {
  it('names the most probable class and all probabilities', () => {
    expect(interpretOutput({ probabilities: floats([2, 3], 0.25, 0.5, 0.25, 0, 0, 1) }, grades, 2)).toEqual([
      { label: 'middle', probabilities: { low: 0.25, middle: 0.5, high: 0.25 } },
      { label: 'high', probabilities: { low: 0, middle: 0, high: 1 } },
    ]);
  });

  it('is the value', () => {
    expect(interpretOutput({ prediction: floats([2, 1], -3.5, 1e6) }, regression, 2)).toEqual([{ value: -3.5 }, { value: 1e6 }]);
    expect(interpretOutput({ variable: { datatype: 'FP64', shape: [1], data: Float64Array.of(0.1) } }, regression, 1)).toEqual([{ value: 0.1 }]);
  });

  it('refuses a value that is not finite', () => {
    expect(() => interpretOutput({ prediction: floats([1, 1], Infinity) }, regression, 1)).toThrow(expect.objectContaining({ code: 'MODEL_RUN_FAILED' }));
  });

  it('answers no rows with no answers', () => {
    for (const meaning of [binary, grades, regression]) expect(interpretOutput({ probabilities: floats([0, 3]), prediction: floats([0, 1]) }, meaning, 0)).toEqual([]);
  });
});
