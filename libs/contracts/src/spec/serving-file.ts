import { Type, type Static } from '@sinclair/typebox';
import { parse as parseYaml } from 'yaml';
import { MillraceError } from '../errors.js';
import { parse } from '../schema.js';
import { Serving } from './serving.js';

/** `model.yaml` beside a model file or beside its versions, where there is no ring: all of it optional. */
export const ServingFile = Type.Object(
  {
    task: Type.Optional(Type.Union([Type.Literal('binary'), Type.Literal('multiclass'), Type.Literal('regression')])),
    classes: Type.Optional(Type.Array(Type.String(), { minItems: 2, description: 'in the order of the probability columns' })),
    positive: Type.Optional(Type.String({ description: 'the positive class of a binary model; default: the second' })),
    features: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { description: 'names of the columns of a single input tensor' })),
    serving: Type.Optional(Serving),
  },
  { additionalProperties: false },
);
export type ServingFile = Static<typeof ServingFile>;

/** @param what names the file in errors. @throws MillraceError SPEC_INVALID with every mistake. */
export function parseServingFile(text: string, what: string): ServingFile {
  let document: unknown;
  try {
    document = parseYaml(text) ?? {};
  } catch (cause) {
    throw new MillraceError('SPEC_INVALID', `${what} is no YAML: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  return parse(ServingFile, document, 'SPEC_INVALID', what);
}
