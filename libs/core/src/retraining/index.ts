export * from './decide-retraining.js';
export * from './run-steps.js';
