import { Controller, Get, Param } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { ModelDirectory } from './model-directory.js';

@ApiTags('models')
@Controller('v1/models')
export class ModelsController {
  constructor(private readonly models: ModelDirectory) {}

  @Get()
  @ApiOperation({ summary: 'Models known here, with the versions that answer' })
  list(): { models: object[] } {
    return { models: this.models.models().map((model) => this.models.describe(model)) };
  }

  @Get(':model')
  @ApiOperation({ summary: 'One model: is it ready, which route is in force, what keeps a newer one from it' })
  one(@Param('model') model: string): object {
    return this.models.describe(model);
  }
}
