import { Body, Controller, Get, Param, Put } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { MillraceError, type ContractChanged } from '@millrace/contracts';
import { ApplyContractHandler } from './apply-contract.handler.js';
import { ContractStore } from './contract.store.js';

@ApiTags('contracts')
@Controller('v1/contracts')
export class ContractsController {
  constructor(
    private readonly applyContract: ApplyContractHandler,
    private readonly contracts: ContractStore,
  ) {}

  @Put(':stream')
  @ApiOperation({ summary: 'Applies a data contract (ODCS 3.1 as JSON); the same content again changes nothing' })
  async put(@Param('stream') stream: string, @Body() document: unknown): Promise<ContractChanged & { changed: boolean }> {
    const { changed, value } = await this.applyContract.handle(stream, document);
    return { changed, ...value };
  }

  @Get()
  @ApiOperation({ summary: 'The contract in force of every stream' })
  async list(): Promise<{ contracts: Omit<ContractChanged, 'document'>[] }> {
    const contracts = await this.contracts.all();
    return { contracts: contracts.map(({ stream, version, sha256, changedAt }) => ({ stream, version, sha256, changedAt })) };
  }

  @Get(':stream')
  @ApiOperation({ summary: 'The contract in force of a stream, and its earlier versions' })
  async get(@Param('stream') stream: string): Promise<ContractChanged & { versions: { version: string; sha256: string; changedAt: string }[] }> {
    const contract = await this.contracts.current(stream);
    if (contract === undefined) throw new MillraceError('CONTRACT_UNKNOWN', `no contract is registered for the stream ${stream}`);
    return { ...contract, versions: await this.contracts.versions(stream) };
  }
}
