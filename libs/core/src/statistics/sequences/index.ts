export * from './beta-binomial.js';
export * from './betting-sequence.js';
export * from './confidence-sequence.js';
export * from './normal-mixture.js';
export * from './quantile-sequence.js';
export * from './sample-ratio.js';
