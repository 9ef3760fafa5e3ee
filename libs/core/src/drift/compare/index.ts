export * from './alarm-budget.js';
export * from './column-sample.js';
export * from './compare-column.js';
export * from './compare-columns.js';
export * from './evidently-choice.js';
export { defaultPolicy, percent, type CheckFinding, type ComparePolicy, type DriftReason } from './finding.js';
export { hiddenValues } from './new-value-check.js';
export { pictureOf } from './picture.js';
