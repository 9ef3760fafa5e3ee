import { Module, type DynamicModule, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { AcceptRecordsHandler } from './accept-records.handler.js';
import { FollowStreamsHandler } from './follow-streams.handler.js';
import { IngestionSettings, type IngestionConfig } from './ingestion.config.js';
import { PostRecordsHandler } from './post-records.handler.js';
import { StreamsController } from './streams.controller.js';

const cloudEventTypes = ['application/cloudevents+json', 'application/cloudevents-batch+json'];

@Module({})
export class IngestionModule implements OnModuleInit {
  constructor(private readonly host: HttpAdapterHost) {}

  static with(config: IngestionConfig): DynamicModule {
    return {
      module: IngestionModule,
      controllers: [StreamsController],
      providers: [{ provide: IngestionSettings, useValue: config }, AcceptRecordsHandler, FollowStreamsHandler, PostRecordsHandler],
    };
  }

  /** CloudEvents over HTTP come as JSON under media types of their own. */
  onModuleInit(): void {
    const fastify = this.host.httpAdapter.getInstance<FastifyInstance>();
    fastify.addContentTypeParser(cloudEventTypes, { parseAs: 'string' }, fastify.getDefaultJsonParser('error', 'error'));
  }
}
