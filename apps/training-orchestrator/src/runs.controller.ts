import { randomUUID } from 'node:crypto';
import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import { Type, type Static } from '@sinclair/typebox';
import { MillraceError } from '@millrace/contracts';
import { Messaging } from '@millrace/messaging';
import { openApiSchema, schemaPipe } from '@millrace/service';
import { DatasetStore, type KnownDataset } from './dataset.store.js';
import { EvaluationStore, type Evaluation } from './evaluation.store.js';
import { ModelsInForce } from './models-in-force.js';
import { RequestRunHandler } from './request-run.handler.js';
import { RunStore, type RunSummary, type RunView } from './run.store.js';
import { VerificationStore, type Verification } from './verification.store.js';
import type { Weighed } from './weigh-retraining.handler.js';

const RunRequest = Type.Object({ reason: Type.String({ minLength: 1, maxLength: 1_000 }), by: Type.String({ minLength: 1, maxLength: 200 }) });
type RunRequest = Static<typeof RunRequest>;

const limitMax = 1_000;

@ApiTags('training')
@Controller('v1')
export class RunsController {
  constructor(
    private readonly requestRun: RequestRunHandler,
    private readonly models: ModelsInForce,
    private readonly runs: RunStore,
    private readonly evaluations: EvaluationStore,
    private readonly datasets: DatasetStore,
    private readonly verifications: VerificationStore,
    private readonly messaging: Messaging,
  ) {}

  @Post('models/:model/runs')
  @HttpCode(202)
  @ApiOperation({ summary: 'Asks for a training by hand; the answer tells the decision and its reasons' })
  @ApiBody({ schema: openApiSchema(RunRequest) })
  request(@Param('model') model: string, @Body(schemaPipe(RunRequest, 'the request')) request: RunRequest): Promise<Weighed> {
    return this.requestRun.handle(model, request);
  }

  @Get('models/:model/runs')
  @ApiOperation({ summary: 'The training runs of a model, newest first' })
  @ApiQuery({ name: 'limit', required: false })
  async list(@Param('model') model: string, @Query('limit') limit?: string): Promise<{ runs: RunSummary[] }> {
    this.known(model);
    return { runs: await this.runs.list(model, limitOf(limit)) };
  }

  @Get('models/:model/evaluations')
  @ApiOperation({ summary: 'Every time that retraining was considered, newest first, the answers “no” too' })
  @ApiQuery({ name: 'limit', required: false })
  async listEvaluations(@Param('model') model: string, @Query('limit') limit?: string): Promise<{ evaluations: Evaluation[] }> {
    this.known(model);
    return { evaluations: await this.evaluations.list(model, limitOf(limit)) };
  }

  @Get('runs/:runId')
  @ApiOperation({ summary: 'One run: its plan, its steps with attempts and evidence, its progress and its reason' })
  async get(@Param('runId') runId: string): Promise<RunView> {
    return this.knownRun(runId);
  }

  @Get('datasets/:datasetVersion')
  @ApiOperation({ summary: 'The manifest of a dataset version: segments, window, label horizon, features, split' })
  async dataset(@Param('datasetVersion') datasetVersion: string): Promise<KnownDataset> {
    const dataset = await this.datasets.find(datasetVersion);
    if (dataset === undefined) throw new MillraceError('DATASET_UNKNOWN', `no dataset version is called ${datasetVersion}`);
    return dataset;
  }

  @Post('runs/:runId/verify')
  @HttpCode(202)
  @ApiOperation({ summary: 'Trains a run again from its dataset version and seed, to compare the bytes' })
  async verify(@Param('runId') runId: string): Promise<{ verificationId: string }> {
    await this.knownRun(runId);
    const verificationId = randomUUID();
    await this.verifications.add(verificationId, runId, this.messaging.now());
    return { verificationId };
  }

  @Get('verifications/:id')
  @ApiOperation({ summary: 'How a verification stands' })
  async verification(@Param('id') id: string): Promise<Verification> {
    const verification = await this.verifications.find(id);
    if (verification === undefined) throw new MillraceError('VERIFICATION_UNKNOWN', `no verification has the id ${id}`);
    return verification;
  }

  private known(model: string): void {
    if (this.models.spec(model) === undefined) throw new MillraceError('MODEL_UNKNOWN', `no model is called ${model}`);
  }

  private async knownRun(runId: string): Promise<RunView> {
    const run = await this.runs.find(runId);
    if (run === undefined) throw new MillraceError('RUN_UNKNOWN', `no training run has the id ${runId}`);
    return run;
  }
}

function limitOf(text: string | undefined): number {
  const limit = text === undefined ? 100 : Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > limitMax) throw new MillraceError('REQUEST_INVALID', `limit must be an integer from 1 to ${limitMax}`, { mistakes: [{ path: '/limit', message: `an integer from 1 to ${limitMax}` }] });
  return limit;
}
