import { createRequire } from 'node:module';
import { groupMessagesPerPartition } from './group-messages.js';
import { encodeRecordBatch } from './record-batch.js';
import { encodeRecord } from './record-encoder.js';

/**
 * kafkajs 2.2.4 allocates and clears a kilobyte per record and again per header, copies each record four times, and groups
 * messages in quadratic time: two thirds of what producing costs. Its modules are replaced before it is loaded; where that cannot be done, it works
 * as it always has. Import this file before kafkajs.
 */
function replaceModules(): void {
  const require = createRequire(import.meta.url);
  const replacements: Readonly<Record<string, unknown>> = {
    'kafkajs/src/protocol/recordBatch/record/v0': encodeRecord,
    'kafkajs/src/protocol/recordBatch/v0': { RecordBatch: encodeRecordBatch, MAGIC_BYTE: 2 },
    'kafkajs/src/producer/groupMessagesPerPartition': groupMessagesPerPartition,
  };
  for (const [name, exports] of Object.entries(replacements)) {
    const path = require.resolve(name);
    require(path); // so that a module of that name and place is in the cache
    const loaded = (require.cache as Record<string, { exports: unknown } | undefined>)[path];
    if (loaded !== undefined) loaded.exports = exports;
  }
}

replaceModules();
