import { Controller, Get, Param, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { MillraceError } from '@millrace/contracts';
import { modelMetadata, serverMetadata } from '@millrace/core/inference';
import { Readiness } from '@millrace/service';
import { ModelDirectory } from './model-directory.js';
import type { LiveRoute } from './route-book.js';
import type { ServingVersion } from './serving-version.js';

/**
 * The reading half of the Open Inference Protocol (V2). Stock clients want status 200, a content type of exactly
 * `application/json` and errors as `{error}`; both `live` and `ready` in both health answers serve all of them.
 */
@ApiTags('open inference protocol')
@Controller('v2')
export class OpenInferenceController {
  constructor(
    private readonly models: ModelDirectory,
    private readonly readiness: Readiness,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Name, version and extensions of this server' })
  server(@Res() reply: FastifyReply): void {
    answer(reply, 200, serverMetadata('millrace', '1', []));
  }

  @Get('health/live')
  @ApiOperation({ summary: 'Is the process alive' })
  async live(@Res() reply: FastifyReply): Promise<void> {
    answer(reply, 200, { live: true, ready: (await this.readiness.report()).ready });
  }

  @Get('health/ready')
  @ApiOperation({ summary: 'Can it answer predictions' })
  async ready(@Res() reply: FastifyReply): Promise<void> {
    const { ready } = await this.readiness.report();
    answer(reply, ready ? 200 : 503, { live: true, ready });
  }

  @Get(['models/:model', 'models/:model/versions/:version'])
  @ApiOperation({ summary: 'Inputs and outputs of a routed version' })
  metadata(@Res() reply: FastifyReply, @Param('model') model: string, @Param('version') version?: string): void {
    guarded(reply, () => {
      const live = this.models.liveRoute(model);
      answer(reply, 200, modelMetadata(model, versionsOf(live).map((known) => known.version), versionOf(live, version)));
    });
  }

  @Get(['models/:model/ready', 'models/:model/versions/:version/ready'])
  @ApiOperation({ summary: 'Can this model answer' })
  modelReady(@Res() reply: FastifyReply, @Param('model') model: string, @Param('version') version?: string): void {
    guarded(reply, () => {
      versionOf(this.models.liveRoute(model), version);
      answer(reply, 200, { name: model, ready: true });
    });
  }
}

/** The routed version of this name; the champion when none is named. @throws MillraceError VERSION_UNKNOWN */
export function versionOf(live: LiveRoute, version: string | undefined): ServingVersion {
  if (version === undefined) return live.champion;
  const found = versionsOf(live).find((known) => known.version === version);
  if (found === undefined) throw new MillraceError('VERSION_UNKNOWN', `version '${version}' of model '${live.route.model}' is not in service`);
  return found;
}

function versionsOf({ champion, candidate }: LiveRoute): ServingVersion[] {
  return candidate === null ? [champion] : [champion, candidate];
}

function guarded(reply: FastifyReply, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    answer(reply, error.httpStatus, { error: error.message });
  }
}

/** As bytes, so that no charset is added to the content type. */
function answer(reply: FastifyReply, status: number, body: object): void {
  void reply.code(status).header('content-type', 'application/json').send(Buffer.from(JSON.stringify(body)));
}
