export { MemoryDriver } from '../memory/memory.driver.js';
export { MemoryLedger, type MemoryTransaction } from '../memory/memory.ledger.js';
