export * from './onnx-writer.js';
export * from './small-models.js';
