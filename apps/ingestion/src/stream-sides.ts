import { MillraceError, type ContractChanged } from '@millrace/contracts';
import { compileContract, type CompiledSchema } from '@millrace/core/data-quality';
import type { RecordKind } from './accept-records.handler.js';
import type { RecordIdentity } from './parse-record.js';

/** What ingestion needs of one side of a contract. */
export interface StreamSide {
  readonly topic: string;
  readonly identity: RecordIdentity;
}

function sideOf({ topic, keyFields, eventTimeField }: CompiledSchema): StreamSide {
  return { topic, identity: { keyFields, eventTimeField } };
}

/** @throws MillraceError CONTRACT_INVALID, also when the document names another stream than its event. */
export function sidesOf(event: ContractChanged): Record<RecordKind, StreamSide> {
  const { stream, record, label } = compileContract(event.document);
  if (stream !== event.stream) throw new MillraceError('CONTRACT_INVALID', `the contract document is of ${stream}, but was published for ${event.stream}`);
  return { record: sideOf(record), label: sideOf(label) };
}
