export * from './alias-history.js';
export * from './gate.js';
