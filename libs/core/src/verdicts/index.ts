export * from './judge-input-window.js';
export * from './judge-outcome-window.js';
export * from './monitored-model.js';
export * from './pane.js';
export * from './recompute-window.js';
export * from './reference.js';
export * from './served-rows.js';
export * from './window-verdict.js';
