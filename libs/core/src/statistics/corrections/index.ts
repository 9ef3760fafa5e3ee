export * from './e-benjamini-hochberg.js';
export * from './lord.js';
export * from './multiple-testing.js';
