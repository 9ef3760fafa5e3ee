export * from './archive-segment.js';
export * from './eventually.js';
export * from './launch.js';
export * from './seeded.js';
export * from './silent-log.js';
export * from './stand-in-service.js';
export * from './test-database.js';
export * from './verify-verdict.js';
