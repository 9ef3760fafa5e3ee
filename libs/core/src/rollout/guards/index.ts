export * from './guard-policy.js';
export * from './guard-windows.js';
export * from './guards.js';
export * from './judge-guards.js';
export * from './latency-limit.js';
export * from './prediction-shift.js';
export * from './restarting-bets.js';
