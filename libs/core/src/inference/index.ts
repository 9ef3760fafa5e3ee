export * from './feature-rows.js';
export * from './interpret-output.js';
export * from './plan-route.js';
export * from './sticky-split.js';
export { elementCount, type Datatype, type Tensor, type TensorElements, type Tensors, type TensorSpec } from '@millrace/contracts';
export * from './v2-json.js';
export * from './v2-metadata.js';
