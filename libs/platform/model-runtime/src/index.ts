export type { ExpectedSignature } from './expected-signature.js';
export * from './host/model-host.js';
export type { Duration, ModelStatistics } from './host/model-statistics.js';
export { limitDefaults, type ModelLimits, type ModelSource, type RunOptions, type ServedModel } from './host/served-model.js';
export * from './model-runtime.js';
export * from './onnx-model-runtime.js';
export { elementCount, type Datatype, type Tensor, type TensorElements, type Tensors, type TensorSpec } from '@millrace/contracts';
export * from './validate-feeds.js';
