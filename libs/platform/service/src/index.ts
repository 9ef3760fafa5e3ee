export { Connections } from './connections.js';
export * from './health.js';
export * from './http.js';
export { httpServerOptions, sendElsewhere } from './http-server.js';
export * from './log.js';
export * from './periodic-task.js';
export * from './run-service.js';
export * from './settings.js';
