export * from './manifest.js';
export * from './split.js';
