import { TestEnvironment } from 'jest-environment-node';

// A native add-on makes its typed arrays in the process's own realm, and Jest runs specs in another one, where
// onnxruntime-common's `instanceof` checks refuse them. Jest shares Uint8Array and ArrayBuffer already; these are the others.
const shared = [
  'Int8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array',
  'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array', 'Float16Array',
];

export default class NativeArraysEnvironment extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    for (const name of shared) if (name in globalThis) this.global[name] = globalThis[name];
  }
}
