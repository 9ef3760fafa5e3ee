export * from './artifact-store.js';
export * from './object-store.js';
export * from './open-storage.js';
