export * from './compile-contract.js';
export { logicalTypes, type LogicalType, type Violation } from './property-options.js';
export { ContractDocument } from './contract-document.js';
export * from './fix.js';
