import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiTags } from '@nestjs/swagger';
import { MillraceError } from '@millrace/contracts';
import { openApiSchema, schemaPipe } from '@millrace/service';
import { ModelCards, type Lineage, type ModelCard } from './model-card.js';
import { ManualRegistration, RegisterByHandHandler } from './register-by-hand.handler.js';
import { SpecStore } from './spec.store.js';
import { VersionStore, type StoredVersion } from './version.store.js';

@ApiTags('versions')
@Controller('v1/models/:model/versions')
export class VersionsController {
  constructor(
    private readonly registerByHand: RegisterByHandHandler,
    private readonly specs: SpecStore,
    private readonly versions: VersionStore,
    private readonly cards: ModelCards,
  ) {}

  @Post()
  @HttpCode(201)
  @ApiOperation({ summary: 'Registers an uploaded artifact as a version, by hand; no gate judges it' })
  @ApiBody({ schema: openApiSchema(ManualRegistration) })
  register(@Param('model') model: string, @Body(schemaPipe(ManualRegistration, 'the registration')) request: ManualRegistration): Promise<StoredVersion> {
    return this.registerByHand.handle(model, request);
  }

  @Get()
  @ApiOperation({ summary: 'The versions of a model, oldest first, without reference profiles' })
  async list(@Param('model') model: string): Promise<{ versions: Omit<StoredVersion, 'reference'>[] }> {
    if ((await this.specs.current(model)) === undefined) throw new MillraceError('MODEL_UNKNOWN', `no model is called ${model}`);
    const versions = await this.versions.list(model);
    return { versions: versions.map(({ reference: _reference, ...rest }) => rest) };
  }

  @Get(':version')
  @ApiOperation({ summary: 'One version with its evidence' })
  get(@Param('model') model: string, @Param('version') version: string): Promise<StoredVersion> {
    return this.known(model, version);
  }

  @Get(':version/card')
  @ApiOperation({ summary: 'The model card: what, data, metrics, gates, limits, lineage, history' })
  async card(@Param('model') model: string, @Param('version') version: string): Promise<ModelCard> {
    return this.cards.card(await this.known(model, version));
  }

  @Get(':version/lineage')
  @ApiOperation({ summary: 'From the version to its run, its dataset version and the offsets of the log' })
  async lineage(@Param('model') model: string, @Param('version') version: string): Promise<Lineage> {
    return this.cards.lineage(await this.known(model, version));
  }

  private async known(model: string, version: string): Promise<StoredVersion> {
    const found = await this.versions.find(model, version);
    if (found !== undefined) return found;
    if ((await this.specs.current(model)) === undefined) throw new MillraceError('MODEL_UNKNOWN', `no model is called ${model}`);
    throw new MillraceError('VERSION_UNKNOWN', `the model ${model} has no version ${version}`);
  }
}
