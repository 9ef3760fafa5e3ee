export * from './archive-column.js';
export * from './manifest.js';
export * from './read-label.js';
export * from './split.js';
