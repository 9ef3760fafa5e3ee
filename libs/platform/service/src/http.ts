import { Catch, HttpException, Injectable, type ArgumentsHost, type ExceptionFilter, type PipeTransform } from '@nestjs/common';
import type { Static, TSchema } from '@sinclair/typebox';
import type { FastifyReply } from 'fastify';
import { throwError, type Observable } from 'rxjs';
import { MillraceError, parse, type ErrorCode } from '@millrace/contracts';
import type { ServiceLog } from './log.js';

/** `@Body(schemaPipe(Schema, 'the request'))`: the handler gets a value that matches, with defaults filled in. */
export function schemaPipe<T extends TSchema>(schema: T, what: string, code: ErrorCode = 'REQUEST_INVALID'): PipeTransform<unknown, Static<T>> {
  return { transform: (value) => parse(schema, value, code, what) };
}

/** For `@ApiBody({ schema: openApiSchema(Schema) })`: TypeBox schemas are JSON Schema already. */
export function openApiSchema(schema: TSchema): Record<string, unknown> {
  return JSON.parse(JSON.stringify(schema)) as Record<string, unknown>;
}

/** Every failure leaves as `{ error, code, mistakes? }` with the status of the catalogue. On the Kafka side it passes unchanged. */
@Injectable()
@Catch()
export class ErrorFilter implements ExceptionFilter {
  constructor(private readonly log: ServiceLog) {}

  catch(exception: unknown, host: ArgumentsHost): void | Observable<never> {
    if (host.getType() === 'rpc') return throwError(() => exception);
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const request = host.switchToHttp().getRequest<{ method: string; url: string }>();
    const { status, body } = this.answer(exception, request);
    void reply.status(status).header('content-type', 'application/json').send(JSON.stringify(body));
  }

  private answer(exception: unknown, request: { method: string; url: string }): { status: number; body: object } {
    if (exception instanceof MillraceError) {
      if (exception.httpStatus >= 500) this.log.error({ err: exception, method: request.method, url: request.url }, exception.message);
      return { status: exception.httpStatus, body: exception.toBody() };
    }
    if (exception instanceof HttpException) return { status: exception.getStatus(), body: { error: exception.message, code: 'REQUEST_INVALID' } };
    const status = clientFault(exception);
    if (status !== undefined) return { status, body: { error: exception instanceof Error ? exception.message : String(exception), code: 'REQUEST_INVALID' } };
    this.log.error({ err: exception, method: request.method, url: request.url }, 'a request failed unexpectedly');
    return { status: 500, body: new MillraceError('INTERNAL', 'The request failed for a reason of our own; it was logged.').toBody() };
  }
}

/** Fastify’s parser errors (no JSON, too large) carry the status that fits. */
function clientFault(exception: unknown): number | undefined {
  if (typeof exception !== 'object' || exception === null || !('statusCode' in exception)) return undefined;
  const { statusCode } = exception;
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? statusCode : undefined;
}
