export * from './champion-answer.js';
export * from './judge-replay.js';
