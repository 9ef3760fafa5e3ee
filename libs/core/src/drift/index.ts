export * from './attribution/index.js';
export * from './compare/index.js';
export * from './finding.js';
export * from './idle.js';
export * from './judge-performance.js';
export * from './window/index.js';
export * from './windows.js';
