import { Body, Controller, Get, HttpCode, Param, Post, Query, type OnModuleInit } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import { Type, type Static } from '@sinclair/typebox';
import { openApiSchema, schemaPipe } from '@millrace/service';
import { dataValidationMetrics } from './data-validation.metrics.js';
import { QuarantineStore, type QuarantineSelection } from './quarantine.store.js';
import { ReplayQuarantineHandler, type ReplayResult } from './replay-quarantine.handler.js';

const closed = { additionalProperties: false } as const;
const Time = Type.Optional(Type.String({ format: 'date-time', description: 'ISO 8601, event time' }));

const ReplayRequest = Type.Object(
  {
    fix: Type.Optional(Type.Unknown({ description: 'what to change in each value before it is judged again' })),
    where: Type.Object({ from: Time, to: Time, rule: Type.Optional(Type.String()), field: Type.Optional(Type.String()) }, { ...closed, default: {} }),
    dryRun: Type.Boolean({ default: false, description: 'judge and tell, change nothing' }),
  },
  { ...closed, default: {} },
);

const ListQuery = Type.Object(
  {
    status: Type.Union([Type.Literal('waiting'), Type.Literal('replayed'), Type.Literal('all')], { default: 'waiting' }),
    limit: Type.String({ pattern: '^[0-9]{1,4}$', default: '100' }),
    rule: Type.Optional(Type.String()),
    field: Type.Optional(Type.String()),
    from: Time,
    to: Time,
  },
  closed,
);

@ApiTags('quarantine')
@Controller('v1/streams/:stream/quarantine')
export class QuarantineController implements OnModuleInit {
  constructor(
    private readonly quarantine: QuarantineStore,
    private readonly replayQuarantine: ReplayQuarantineHandler,
  ) {}

  /** Counted when it is scraped: replicas agree because they all ask the table. */
  onModuleInit(): void {
    const { waiting } = dataValidationMetrics;
    const { quarantine } = this;
    Object.assign(waiting, {
      collect: async () => {
        for (const { stream, kind, count } of await quarantine.waitingCounts()) waiting.set({ stream, kind }, count);
      },
    });
  }

  @Get()
  @ApiOperation({ summary: 'What waits in quarantine, counted by rule, the oldest items first' })
  @ApiQuery({ name: 'status', required: false })
  async list(@Param('stream') stream: string, @Query(schemaPipe(ListQuery, 'the query')) query: Static<typeof ListQuery>): Promise<object> {
    const { status, limit, ...where } = query;
    const selection: QuarantineSelection = { stream, ...where, ...(status === 'all' ? {} : { status }) };
    return { stream, status, ...(await this.quarantine.list(selection, Math.min(1_000, Number(limit)))) };
  }

  @Post('replay')
  @HttpCode(200)
  @ApiOperation({ summary: 'Judge waiting items again, after an optional fix; what abides by the contract is admitted, exactly once' })
  @ApiBody({ schema: openApiSchema(ReplayRequest) })
  async replay(@Param('stream') stream: string, @Body(schemaPipe(ReplayRequest, 'the request')) body: Static<typeof ReplayRequest>): Promise<ReplayResult> {
    return this.replayQuarantine.handle({ stream, fix: body.fix, where: body.where, dryRun: body.dryRun });
  }
}
