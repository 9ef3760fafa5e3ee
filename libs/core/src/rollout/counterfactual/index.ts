export * from './arm-decisions.js';
export * from './counterfactual-value.js';
export * from './logged-decision.js';
export { overlapLimits, type Overlap, type OverlapLimits, type OverlapRefusal } from './overlap.js';
