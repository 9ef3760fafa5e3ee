export * from './clopper-pearson.js';
export * from './wilson.js';
