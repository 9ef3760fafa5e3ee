import { Body, Controller, Get, Param, Put, Query } from '@nestjs/common';
import { ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import { Instant, matches, MillraceError, type SpecChanged } from '@millrace/contracts';
import { Messaging } from '@millrace/messaging';
import { AliasStore, type AliasEntry } from './alias.store.js';
import { ApplySpecHandler } from './apply-spec.handler.js';
import { RunStore } from './run.store.js';
import { SpecStore } from './spec.store.js';

interface ModelSummary extends Omit<SpecChanged, 'spec'> {
  readonly task: string;
  readonly stream: string;
  readonly aliases: Record<string, string | null>;
}

@ApiTags('models')
@Controller('v1/models')
export class ModelsController {
  constructor(
    private readonly applySpec: ApplySpecHandler,
    private readonly specs: SpecStore,
    private readonly aliases: AliasStore,
    private readonly runs: RunStore,
    private readonly messaging: Messaging,
  ) {}

  @Put(':model')
  @ApiOperation({ summary: 'Applies a model spec (model.yaml as JSON); the same content again changes nothing' })
  async put(@Param('model') model: string, @Body() document: unknown): Promise<SpecChanged & { changed: boolean }> {
    const { changed, value } = await this.applySpec.handle(model, document);
    return { changed, ...value };
  }

  @Get()
  @ApiOperation({ summary: 'Every model with its aliases' })
  async list(): Promise<{ models: ModelSummary[] }> {
    const specs = await this.specs.all();
    return { models: await Promise.all(specs.map((spec) => this.summary(spec))) };
  }

  @Get(':model')
  @ApiOperation({ summary: 'The spec in force of a model, and its aliases' })
  async get(@Param('model') model: string): Promise<SpecChanged & { aliases: Record<string, string | null> }> {
    const spec = await this.known(model);
    return { ...spec, aliases: await this.aliasesOf(model) };
  }

  @Get(':model/specs/:revision')
  @ApiOperation({ summary: 'A spec as it stood at a revision: what a verdict or a roll-out of that time was judged by' })
  async revision(@Param('model') model: string, @Param('revision') revision: string): Promise<SpecChanged> {
    const known = await this.known(model);
    const found = /^[1-9][0-9]{0,8}$/.test(revision) ? await this.specs.revision(model, Number(revision)) : undefined;
    if (found === undefined) throw new MillraceError('SPEC_UNKNOWN', `${model} has no spec revision ${revision}; the newest is ${known.revision}`);
    return found;
  }

  @Get(':model/runs')
  @ApiOperation({ summary: 'Completed training runs of a model, newest first, the refused ones too' })
  async listRuns(@Param('model') model: string): Promise<{ runs: object[] }> {
    await this.known(model);
    return { runs: await this.runs.list(model) };
  }

  @Get(':model/aliases/:alias')
  @ApiOperation({ summary: 'What an alias names now, or named at a time' })
  @ApiQuery({ name: 'at', required: false, description: 'ISO 8601 instant; default: now' })
  async alias(@Param('model') model: string, @Param('alias') alias: string, @Query('at') at?: string): Promise<AliasEntry & { model: string; at: string; history: AliasEntry[] }> {
    await this.known(model);
    const instant = at ?? this.messaging.now().toISOString();
    if (!matches(Instant, instant)) throw new MillraceError('REQUEST_INVALID', `at must be an ISO 8601 instant such as 2026-01-31T12:00:00Z, not ${instant}`, { mistakes: [{ path: '/at', message: 'no ISO 8601 instant' }] });
    const history = await this.aliases.history(model, alias);
    const entry = at === undefined ? history[history.length - 1] : await this.aliases.at(model, alias, instant);
    if (entry === undefined) throw new MillraceError('ALIAS_UNKNOWN', `the model ${model} had no alias ${alias} at ${instant}`);
    return { model, at: instant, ...entry, history };
  }

  private async known(model: string): Promise<SpecChanged> {
    const spec = await this.specs.current(model);
    if (spec === undefined) throw new MillraceError('MODEL_UNKNOWN', `no model is called ${model}`);
    return spec;
  }

  private async aliasesOf(model: string): Promise<Record<string, string | null>> {
    const entries = await this.aliases.current(model);
    return Object.fromEntries(entries.map(({ alias, version }) => [alias, version]));
  }

  private async summary({ spec, ...rest }: SpecChanged): Promise<ModelSummary> {
    return { ...rest, task: spec.spec.task, stream: spec.spec.stream, aliases: await this.aliasesOf(rest.model) };
  }
}
