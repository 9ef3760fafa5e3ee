export * from './health.js';
export * from './http.js';
export * from './log.js';
export * from './run-service.js';
export * from './settings.js';
