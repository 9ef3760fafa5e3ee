export * from './eventually.js';
export * from './seeded.js';
export * from './silent-log.js';
export * from './stand-in-service.js';
export * from './test-database.js';
