export * from './compare/index.js';
export * from './detector.js';
export * from './idle.js';
export * from './judge-performance.js';
export * from './judge-window.js';
export * from './windows.js';
