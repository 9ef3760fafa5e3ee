import { MillraceError } from '@millrace/contracts';
import { elementCount, type Tensor, type Tensors, type TensorSpec } from '@millrace/contracts';

// The runtime keeps texts as NUL-terminated UTF-8: "a\0b" would silently come back as "a", a lone surrogate as U+FFFD.
const unsafeText = /[\0\p{Surrogate}]/u;

function shapeFits(expected: readonly number[], actual: readonly number[]): boolean {
  if (expected.length !== actual.length) return false;
  for (let axis = 0; axis < expected.length; axis += 1) if (expected[axis] !== -1 && expected[axis] !== actual[axis]) return false;
  return true;
}

function isPossible(shape: readonly number[]): boolean {
  for (const dim of shape) if (!Number.isSafeInteger(dim) || dim < 0) return false;
  return true;
}

const textOf = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

function mistakeIn(spec: TensorSpec, tensor: Tensor | undefined): string | null {
  if (tensor === undefined) return `input ${spec.name} is missing`;
  if (tensor.datatype !== spec.datatype) return `input ${spec.name} is ${tensor.datatype}; the model takes ${spec.datatype}`;
  const { shape } = tensor;
  if (!isPossible(shape)) return `input ${spec.name} has the impossible shape ${textOf(shape)}`;
  if (!shapeFits(spec.shape, shape)) return `input ${spec.name} has shape ${textOf(shape)}; the model takes ${textOf(spec.shape)} (-1: any)`;
  const count = elementCount(shape);
  if (tensor.data.length !== count) return `input ${spec.name} has ${tensor.data.length} elements; shape ${textOf(shape)} needs ${count}`;
  if (tensor.datatype !== 'BYTES') return null;
  const at = tensor.data.findIndex((text) => typeof text !== 'string' || unsafeText.test(text));
  return at === -1 ? null : `input ${spec.name} has at element ${at} a text with a NUL or an unpaired surrogate, which no model can be given unchanged`;
}

/**
 * Judges feeds against what a model declares, before any native code sees them.
 * @throws MillraceError TENSOR_INVALID naming every input that is missing, unknown or does not fit.
 */
export function validateFeeds(inputs: readonly TensorSpec[], feeds: Tensors): void {
  const messages: string[] = [];
  for (const spec of inputs) {
    const message = mistakeIn(spec, Object.hasOwn(feeds, spec.name) ? feeds[spec.name] : undefined);
    if (message !== null) messages.push(message);
  }
  let given = 0;
  for (const name in feeds) if (Object.hasOwn(feeds, name)) given += 1;
  if (messages.length === 0 && given === inputs.length) return;
  const known = new Set(inputs.map(({ name }) => name));
  for (const name of Object.keys(feeds)) if (!known.has(name)) messages.push(`the model has no input ${name}`);
  if (messages.length > 0) throw new MillraceError('TENSOR_INVALID', messages.join('; '));
}
