export * from './database.js';
export * from './messaging-tables.migration.js';
