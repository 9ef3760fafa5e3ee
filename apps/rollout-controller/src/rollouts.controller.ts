import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Type, type Static } from '@sinclair/typebox';
import { Literals, MillraceError, parse } from '@millrace/contracts';
import { businessReading, evidenceOf, standingOf, type GuardReading } from '@millrace/core/rollout';
import { openApiSchema, schemaPipe } from '@millrace/service';
import { CommandRolloutsHandler, rolloutCommands } from './command-rollouts.handler.js';
import { GuardBatchStore } from './guard-batch.store.js';
import { GuardStore } from './guard.store.js';
import { ReadingStore } from './reading.store.js';
import { RolloutStore, type RolloutRow } from './rollout.store.js';

const order = { by: Type.String({ minLength: 1, maxLength: 200, description: 'who orders it' }), reason: Type.String({ minLength: 1, maxLength: 2_000 }) };
const StartOrder = Type.Object({ version: Type.String({ minLength: 1 }), ...order }, { additionalProperties: false });
const CommandOrder = Type.Object({ command: Literals(rolloutCommands), ...order }, { additionalProperties: false });
const Page = Type.Object({ limit: Type.Integer({ minimum: 1, maximum: 1_000, default: 50 }) });

@ApiTags('roll-outs')
@Controller('v1')
export class RolloutsController {
  constructor(
    private readonly store: RolloutStore,
    private readonly commandRollouts: CommandRolloutsHandler,
    private readonly readings: ReadingStore,
    private readonly guards: GuardStore,
    private readonly guardBatches: GuardBatchStore,
  ) {}

  @Get('models/:model/rollouts')
  @ApiOperation({ summary: 'Roll-outs of a model, newest first' })
  async list(@Param('model') model: string, @Query('limit') limit?: string): Promise<object> {
    const page = parse(Page, limit === undefined ? {} : { limit: Number(limit) }, 'REQUEST_INVALID', 'the query');
    const known = await this.store.modelOf(model);
    if (known === undefined) throw new MillraceError('MODEL_UNKNOWN', `no version of ${model} was ever registered`);
    return { model, streamTime: known.streamTime, routeRevision: known.revision, rollouts: (await this.store.list(model, page.limit)).map(summaryOf) };
  }

  @Get('models/:model/route')
  @ApiOperation({ summary: 'The route in force: which version answers, and what part of the units' })
  async route(@Param('model') model: string): Promise<object> {
    const known = await this.store.modelOf(model);
    if (known === undefined) throw new MillraceError('MODEL_UNKNOWN', `no version of ${model} was ever registered`);
    if (known.route === null) throw new MillraceError('MODEL_NOT_READY', `${model} has no route yet: none of its versions has passed its gate`);
    return { ...known.route };
  }

  @Post('models/:model/rollouts')
  @HttpCode(201)
  @ApiBody({ schema: openApiSchema(StartOrder) })
  @ApiOperation({ summary: 'Start a roll-out by hand, of any registered version' })
  async start(@Param('model') model: string, @Body(schemaPipe(StartOrder, 'the request')) body: Static<typeof StartOrder>): Promise<object> {
    return summaryOf(await this.commandRollouts.start(model, body.version, body));
  }

  @Get('rollouts/:id')
  @ApiOperation({ summary: 'One roll-out: every step with its evidence, and where its guards stand' })
  async one(@Param('id') id: string): Promise<object> {
    const row = await this.store.find(id);
    if (row === undefined) throw new MillraceError('ROLLOUT_UNKNOWN', `there is no roll-out ${id}`);
    const { plan, state } = row;
    const steps = await this.store.steps(id);
    const standing = plan === null || state === null ? null : standingOf(state, plan.policy, steps.map(({ to }) => to.replace(/ \(.*\)$/, '')));
    return { ...summaryOf(row), plan, standing, steps, notes: await this.store.notes(row.model, row.candidateVersion), guards: [...(await this.guards.readings(id)), ...businessOf(row)] };
  }

  @Get('rollouts/:id/readings')
  @ApiOperation({ summary: 'From which offsets a roll-out has learnt, in the order in which it did' })
  async readingsOf(@Param('id') id: string): Promise<object> {
    if ((await this.store.find(id)) === undefined) throw new MillraceError('ROLLOUT_UNKNOWN', `there is no roll-out ${id}`);
    return { rolloutId: id, readings: await this.readings.list(id) };
  }

  @Get('rollouts/:id/guard-batches')
  @ApiOperation({ summary: 'From which offsets the guards of a roll-out have judged requests, in order, and their state before them' })
  async guardBatchesOf(@Param('id') id: string): Promise<object> {
    if ((await this.store.find(id)) === undefined) throw new MillraceError('ROLLOUT_UNKNOWN', `there is no roll-out ${id}`);
    return { rolloutId: id, ...(await this.guardBatches.trailOf(id)) };
  }

  @Post('rollouts/:id/commands')
  @HttpCode(200)
  @ApiBody({ schema: openApiSchema(CommandOrder) })
  @ApiOperation({ summary: 'Pause, resume, advance to the next step, promote, abort or roll back' })
  async command(@Param('id') id: string, @Body(schemaPipe(CommandOrder, 'the request')) body: Static<typeof CommandOrder>): Promise<object> {
    return summaryOf(await this.commandRollouts.command(id, body.command, body));
  }
}

function summaryOf({ plan, state, ...row }: RolloutRow): object {
  return { ...row, evidence: plan !== null && state !== null && state.evidence !== null ? evidenceOf(state.evidence, plan.policy) : null };
}

/** The guard that goes by outcomes stands in the state of the roll-out. */
function businessOf({ plan, state }: RolloutRow): GuardReading[] {
  const [policy, evidence] = [plan?.policy.business, state?.evidence?.business];
  return policy === undefined || evidence === undefined ? [] : [businessReading(evidence, policy)];
}
