import { Body, Controller, Get, Headers, HttpStatus, Param, Post, Res } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Type } from '@sinclair/typebox';
import type { FastifyReply } from 'fastify';
import { randomUUID } from 'node:crypto';
import { errorCatalogue, MillraceError } from '@millrace/contracts';
import { openApiSchema } from '@millrace/service';
import { traceparentOf, type RecordKind } from './accept-records.handler.js';
import { FollowStreamsHandler, type StreamState } from './follow-streams.handler.js';
import { PostRecordsHandler, type PostedRecords } from './post-records.handler.js';

/** One JSON object or an array of them; each item is judged by itself, so the schema is left to the records. */
const PostedBody = Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Array(Type.Unknown(), { minItems: 1 })]);

@ApiTags('streams')
@Controller('v1/streams')
export class StreamsController {
  constructor(
    private readonly streams: FollowStreamsHandler,
    private readonly postRecords: PostRecordsHandler,
  ) {}

  @Get()
  @ApiOperation({ summary: 'The streams that have a contract, and whether their topics are being read' })
  list(): { streams: StreamState[] } {
    return { streams: this.streams.states() };
  }

  @Post(':stream/records')
  @ApiOperation({ summary: 'Take in records: one object or an array; 202 once Kafka has acknowledged, with an answer per item' })
  @ApiBody({ schema: openApiSchema(PostedBody) })
  async records(@Param('stream') stream: string, @Body() body: unknown, @Headers() headers: Record<string, string | undefined>, @Res() reply: FastifyReply): Promise<void> {
    await this.take(stream, 'record', body, headers, reply);
  }

  @Post(':stream/labels')
  @ApiOperation({ summary: 'Take in labels: one object or an array; 202 once Kafka has acknowledged, with an answer per item' })
  @ApiBody({ schema: openApiSchema(PostedBody) })
  async labels(@Param('stream') stream: string, @Body() body: unknown, @Headers() headers: Record<string, string | undefined>, @Res() reply: FastifyReply): Promise<void> {
    await this.take(stream, 'label', body, headers, reply);
  }

  private async take(stream: string, kind: RecordKind, body: unknown, headers: Record<string, string | undefined>, reply: FastifyReply): Promise<void> {
    const intake = this.streams.intake(stream, kind);
    const posted: readonly unknown[] = Array.isArray(body) ? body : [body];
    if (posted.length === 0) throw new MillraceError('REQUEST_INVALID', 'The request holds no record.');
    const cloudEvents = headers['content-type']?.startsWith('application/cloudevents') === true;
    const answer = await this.postRecords.handle(intake, posted, { requestId: headers['x-request-id']?.slice(0, 128) ?? randomUUID(), traceparent: traceparentOf(headers), cloudEvents });
    await reply.status(statusOf(answer)).header('content-type', 'application/json').send(JSON.stringify(bodyOf(answer)));
  }
}

/** 202 when at least one item was accepted; otherwise what the first item’s code stands for. */
function statusOf({ accepted, items }: PostedRecords): number {
  const code = items[0]?.code;
  return accepted > 0 || code === undefined ? HttpStatus.ACCEPTED : errorCatalogue[code].http;
}

function bodyOf(answer: PostedRecords): object {
  const [first] = answer.items;
  return answer.accepted > 0 || first?.code === undefined ? answer : { error: `No item was accepted; the first: ${first.error ?? ''}`, code: first.code, ...answer };
}
