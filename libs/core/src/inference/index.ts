export * from './feature-rows.js';
export * from './interpret-output.js';
export * from './plan-route.js';
export * from './sticky-split.js';
export * from './tensor.js';
export * from './v2-json.js';
export * from './v2-metadata.js';
