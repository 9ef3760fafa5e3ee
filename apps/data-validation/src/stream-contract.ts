import { MillraceError, type ContractChanged } from '@millrace/contracts';
import { compileContract, type CompiledContract, type CompiledSchema } from '@millrace/core/data-quality';

export type ContractProperty = CompiledSchema['fields'][number];

/** @throws MillraceError CONTRACT_INVALID, also when the document names another stream than its event. */
export function compileStreamContract(event: ContractChanged): CompiledContract {
  const contract = compileContract(event.document);
  if (contract.stream === event.stream && contract.version === event.version) return contract;
  throw new MillraceError('CONTRACT_INVALID', `the contract document is version ${contract.version} of ${contract.stream}, but was published as version ${event.version} of ${event.stream}`);
}
