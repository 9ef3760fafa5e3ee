/**
 * Goal: bytes that are no whole model are refused with a code and a sentence; nothing else is ever thrown, and nothing hangs.
 * Method: real files (fixtures/tree-shap.json) cut off at every length, bytes changed at random places, and hand-written
 * Protocol Buffers that lie about their lengths.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MillraceError } from '@millrace/contracts';
import { planExplanation } from './explanation-plan.js';
import { frozenModels, layoutOf } from './frozen-models.fixture.js';
import { readOnnxGraph } from './onnx/graph.js';

const models = frozenModels();
const find = (name: string) => {
  const model = models.find((each) => each.name === name);
  if (model === undefined) throw new Error(`no model ${name}`);
  return model;
};

/** What happened, for a table of outcomes. */
function outcome(work: () => unknown): string {
  try {
    work();
    return 'read';
  } catch (error) {
    if (error instanceof MillraceError) return error.code;
    throw error;
  }
}

describe('a damaged file', () => {
  it('cut off anywhere inside its graph is refused', () => {
    const { bytes, signature } = find('trainer binary');
    const layout = layoutOf(signature);
    const graphEnd = bytes.length - 60; // the versions of the operator sets come after the graph
    for (let length = 0; length < graphEnd; length += 1) {
      expect({ length, outcome: outcome(() => planExplanation(bytes.subarray(0, length), layout, signature)) }).toEqual({ length, outcome: 'MODEL_LOAD_FAILED' });
    }
    expect(outcome(() => planExplanation(bytes, layout, signature))).toBe('read');
  });

  it('with changed bytes is read or refused', () => {
    const seen = new Set<string>();
    for (const name of ['trainer binary', 'forest of two classes', 'xgboost regression, interventional']) {
      const { bytes, signature } = find(name);
      const layout = layoutOf(signature);
      fc.assert(
        fc.property(fc.array(fc.tuple(fc.nat({ max: bytes.length - 1 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 }), (changes) => {
          const changed = Uint8Array.from(bytes);
          for (const [at, value] of changes) changed[at] = value;
          const found = outcome(() => planExplanation(changed, layout, signature));
          seen.add(found);
          expect(['read', 'MODEL_LOAD_FAILED', 'EXPLANATION_UNAVAILABLE']).toContain(found);
        }),
        { numRuns: 1_000 },
      );
    }
    expect(seen).toContain('MODEL_LOAD_FAILED');
  });

  it('of anything else is refused', () => {
    expect(outcome(() => readOnnxGraph(new TextEncoder().encode('this is no model, it is a sentence')))).toBe('MODEL_LOAD_FAILED');
    expect(outcome(() => readOnnxGraph(new Uint8Array(0)))).toBe('MODEL_LOAD_FAILED');
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => expect(outcome(() => readOnnxGraph(bytes))).toBe('MODEL_LOAD_FAILED')), { numRuns: 2_000 });
  });

  it.each([
    { what: 'a part longer than the file', bytes: [0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f, 1], says: /2 bytes|says it has/u },
    { what: 'a part one byte longer than what is left', bytes: [0x3a, 2, 0], says: /says it has 2 bytes, and 1 are left/u },
    { what: 'a number without an end', bytes: [0x08, 0x80, 0x80], says: /middle of a number/u },
    { what: 'a number of eleven bytes', bytes: [0x08, ...new Array<number>(10).fill(0x80), 1], says: /more than ten bytes/u },
    { what: 'a group', bytes: [0x3b, 0], says: /wire type 3/u },
    { what: 'field number 0', bytes: [0x02, 0], says: /field number 0/u },
  ])('names $what', ({ bytes, says }) => expect(() => readOnnxGraph(Uint8Array.from(bytes))).toThrow(says));
});
