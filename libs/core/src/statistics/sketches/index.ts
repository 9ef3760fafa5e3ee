export * from './exact-histogram.js';
export * from './feature-state.js';
export * from './frequent-items.js';
export * from './hyper-log-log.js';
export * from './kll.js';
export * from './moments.js';
export * from './two-way-counts.js';
