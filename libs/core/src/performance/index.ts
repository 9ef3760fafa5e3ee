export * from './confusion-metrics.js';
export * from './density-ratio.js';
export * from './estimate-performance.js';
export * from './fairness.js';
export * from './label-delay.js';
export * from './performance-gap.js';
