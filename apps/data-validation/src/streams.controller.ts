import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Type, type Static } from '@sinclair/typebox';
import type { SegmentSealed } from '@millrace/contracts';
import { schemaPipe } from '@millrace/service';
import { AccountingStore, type Account } from './accounting.store.js';
import { FindRecordHandler, type RecordPlaces } from './find-record.handler.js';
import { QualityStore, type QualityDay } from './quality.store.js';
import { SegmentStore } from './segment.store.js';

const SegmentsQuery = Type.Object({ kind: Type.Optional(Type.Union([Type.Literal('record'), Type.Literal('label')])) }, { additionalProperties: false });
const qualityDaysMax = 1_000;

@ApiTags('streams')
@Controller('v1/streams/:stream')
export class StreamsController {
  constructor(
    private readonly accounting: AccountingStore,
    private readonly segments: SegmentStore,
    private readonly quality: QualityStore,
    private readonly findRecord: FindRecordHandler,
  ) {}

  @Get('accounting')
  @ApiOperation({ summary: 'Where all records and labels of a stream have gone' })
  async account(@Param('stream') stream: string): Promise<{ stream: string; record: Account; label: Account; refusals: object[] }> {
    return { stream, ...(await this.accounting.account(stream)), refusals: await this.accounting.refusals(stream) };
  }

  @Get('segments')
  @ApiOperation({ summary: 'The archive’s table of contents, in the order of the log' })
  async listSegments(@Param('stream') stream: string, @Query(schemaPipe(SegmentsQuery, 'the query')) { kind }: Static<typeof SegmentsQuery>): Promise<{ stream: string; segments: SegmentSealed[] }> {
    return { stream, segments: await this.segments.list(stream, kind) };
  }

  @Get('quality')
  @ApiOperation({ summary: 'Judged and quarantined per event day and contract version, newest first' })
  async history(@Param('stream') stream: string): Promise<{ stream: string; days: QualityDay[] }> {
    return { stream, days: await this.quality.history(stream, qualityDaysMax) };
  }

  @Get('records/:recordId')
  @ApiOperation({ summary: 'Where a record and its labels are archived: topic, partition, offset, segment' })
  async find(@Param('stream') stream: string, @Param('recordId') recordId: string): Promise<RecordPlaces> {
    return this.findRecord.handle(stream, recordId);
  }
}
