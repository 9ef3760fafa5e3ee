import { Body, Controller, Get, Header, Param, Put, StreamableFile } from '@nestjs/common';
import { ApiConsumes, ApiOperation, ApiTags } from '@nestjs/swagger';
import { matches, MillraceError, Sha256 } from '@millrace/contracts';
import { ArtifactVault } from './artifact.vault.js';

@ApiTags('artifacts')
@Controller('v1/artifacts')
export class ArtifactsController {
  constructor(private readonly vault: ArtifactVault) {}

  @Put(':sha256')
  @ApiConsumes('application/octet-stream')
  @ApiOperation({ summary: 'Stores bytes under their SHA-256; refused when they do not match it' })
  async put(@Param('sha256') sha256: string, @Body() bytes: unknown): Promise<{ sha256: string; sizeBytes: number }> {
    if (!(bytes instanceof Uint8Array)) throw new MillraceError('REQUEST_INVALID', 'send the artifact’s bytes with content-type: application/octet-stream');
    return this.vault.store(hashOf(sha256), bytes);
  }

  @Get(':sha256')
  @Header('cache-control', 'immutable, max-age=31536000')
  @ApiOperation({ summary: 'The bytes; never without checking their SHA-256' })
  async get(@Param('sha256') sha256: string): Promise<StreamableFile> {
    const bytes = await this.vault.read(hashOf(sha256));
    return new StreamableFile(bytes, { type: 'application/octet-stream', length: bytes.byteLength });
  }
}

function hashOf(text: string): string {
  if (matches(Sha256, text)) return text;
  throw new MillraceError('REQUEST_INVALID', `${text} is no SHA-256: 64 lower-case hexadecimal characters`);
}
