export * from './corrections/index.js';
export * from './detectors/index.js';
export * from './intervals/index.js';
export * from './performance.js';
export * from './sequences/index.js';
export * from './sketches/index.js';
export * from './tests/index.js';
export * from './isotonic-regression.js';
