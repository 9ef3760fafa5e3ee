export * from './batched-model.js';
export * from './model-runtime.js';
export * from './onnx-model-runtime.js';
export { elementCount, type Datatype, type Tensor, type TensorElements, type Tensors, type TensorSpec } from '@millrace/contracts';
export * from './validate-feeds.js';
