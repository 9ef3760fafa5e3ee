import type { Tensor } from '@millrace/contracts';
import type { Feature, Features } from './feature-rows.js';
import type { ByteWriter } from './v2-byte-writer.js';

const utf8 = new TextEncoder();

/** Writes a model’s features as a JSON object: `"name":` of each, with what stands before it, lies ready. */
export class FeatureWriter {
  private readonly heads: readonly { readonly name: string; readonly head: Uint8Array }[];

  constructor(features: readonly Feature[]) {
    this.heads = features.map(({ name }, index) => ({ name, head: utf8.encode(`${index === 0 ? '{' : ','}${JSON.stringify(name)}:`) }));
  }

  /** @param tensorOf where a feature lies, by its place. @param elementOf at which element. */
  writeElements(to: ByteWriter, tensorOf: (place: number) => Tensor | undefined, elementOf: (place: number) => number): void {
    const { heads } = this;
    if (heads.length === 0) to.ascii('{');
    for (let place = 0; place < heads.length; place += 1) {
      const head = heads[place];
      if (head === undefined) continue;
      to.raw(head.head);
      const tensor = tensorOf(place);
      const value = tensor?.data[elementOf(place)];
      if (tensor?.datatype === 'FP32' && typeof value === 'number' && Number.isFinite(value)) to.float32(value === 0 ? 0 : value);
      else if (value === '') to.ascii('null');
      else writeValue(to, typeof value === 'bigint' ? Number(value) : value);
    }
    to.ascii('}');
  }

  writeFeatures(to: ByteWriter, given: Features): void {
    const { heads } = this;
    if (heads.length === 0) to.ascii('{');
    for (const { name, head } of heads) {
      to.raw(head);
      writeValue(to, given[name]);
    }
    to.ascii('}');
  }
}

/** As JSON has it: no sign at zero. */
function writeValue(to: ByteWriter, value: unknown): void {
  if (typeof value === 'number' && Number.isFinite(value)) to.float64(value === 0 ? 0 : value);
  else if (typeof value === 'string') to.text(value);
  else to.ascii('null');
}
