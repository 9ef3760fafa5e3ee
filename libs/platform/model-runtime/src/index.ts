export * from './batched-model.js';
export * from './model-runtime.js';
export * from './onnx-model-runtime.js';
export * from './tensor.js';
export * from './validate-feeds.js';
