export * from './arm-difference.js';
export * from './decide-rollout.js';
export * from './difference-judge.js';
export * from './futility.js';
export * from './judge-log.js';
export * from './judge-phase.js';
export * from './latency-guard.js';
export * from './rollout-state.js';
