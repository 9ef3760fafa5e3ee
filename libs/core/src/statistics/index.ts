export * from './confidence-sequence.js';
export * from './contingency-chi-square.js';
export * from './multiple-testing.js';
export * from './performance.js';
export * from './profile.js';
export * from './two-proportion.js';
export * from './two-sample-ks.js';
