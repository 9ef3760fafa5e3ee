export * from './bad-models.js';
export * from './onnx-writer.js';
export * from './small-models.js';
