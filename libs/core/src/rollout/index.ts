export * from './decide-rollout.js';
export * from './judge-phase.js';
export * from './rollout-state.js';
