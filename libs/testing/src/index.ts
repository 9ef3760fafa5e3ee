export * from './eventually.js';
export * from './silent-log.js';
export * from './test-database.js';
export * from './seeded.js';
