import { Injectable, type LoggerService } from '@nestjs/common';
import { pino, type Logger } from 'pino';
import { MillraceError } from '@millrace/contracts';

/** JSON lines on standard output; errors carry their code, and details that are safe to print. */
@Injectable()
export class ServiceLog {
  private readonly logger: Logger;

  constructor(service: string, level: string) {
    this.logger = pino({ level, base: { service }, serializers: { err: describeError }, timestamp: pino.stdTimeFunctions.isoTime });
  }

  debug(details: object, message: string): void {
    this.logger.debug(details, message);
  }

  info(details: object, message: string): void {
    this.logger.info(details, message);
  }

  warn(details: object, message: string): void {
    this.logger.warn(details, message);
  }

  error(details: object, message: string): void {
    this.logger.error(details, message);
  }

  fatal(details: object, message: string): void {
    this.logger.fatal(details, message);
  }

  /** Nest’s own lines go the same way; its start-up chatter only at debug. */
  forNest(): LoggerService {
    const line = (level: 'debug' | 'warn' | 'error') => (message: unknown, ...rest: unknown[]) =>
      this.logger[level]({ context: rest[rest.length - 1], ...(message instanceof Error ? { err: message } : {}) }, message instanceof Error ? message.message : String(message));
    return { log: line('debug'), debug: line('debug'), verbose: line('debug'), warn: line('warn'), error: line('error'), fatal: line('error') };
  }
}

function describeError(error: unknown): object {
  if (error instanceof MillraceError) return { code: error.code, message: error.message, stack: error.stack, cause: error.details.cause === undefined ? undefined : describeError(error.details.cause) };
  if (error instanceof Error) return { type: error.name, message: error.message, stack: error.stack, cause: error.cause === undefined ? undefined : describeError(error.cause) };
  return { message: String(error) };
}
