import { Controller, Get, Header, Injectable, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { register } from 'prom-client';

export type ReadinessCheck = () => Promise<true | string> | true | string;

/** Ready means: start-up is over, no drain has begun, and every check that a room has added says so. */
@Injectable()
export class Readiness {
  private phase: 'starting' | 'running' | 'draining' = 'starting';
  private readonly checks = new Map<string, ReadinessCheck>();
  private readonly notes = new Map<string, () => string | undefined>();

  /** `check` answers true, or a sentence that says what is missing. */
  add(name: string, check: ReadinessCheck): void {
    this.checks.set(name, check);
  }

  /** What an operator should see although the service can work: `tell` answers a sentence, or undefined when all is well. */
  addNote(name: string, tell: () => string | undefined): void {
    this.notes.set(name, tell);
  }

  enter(phase: 'running' | 'draining'): void {
    this.phase = phase;
  }

  async report(): Promise<{ ready: boolean; phase: string; checks: Record<string, true | string>; notes: Record<string, string> }> {
    const checks: Record<string, true | string> = {};
    for (const [name, check] of this.checks) {
      try {
        checks[name] = await check();
      } catch (error) {
        checks[name] = error instanceof Error ? error.message : String(error);
      }
    }
    const notes: Record<string, string> = {};
    for (const [name, tell] of this.notes) {
      const note = tell();
      if (note !== undefined) notes[name] = note;
    }
    return { ready: this.phase === 'running' && Object.values(checks).every((answer) => answer === true), phase: this.phase, checks, notes };
  }
}

@ApiExcludeController()
@Controller()
export class HealthController {
  constructor(private readonly readiness: Readiness) {}

  @Get('health/live')
  live(): { live: true } {
    return { live: true };
  }

  @Get('health/ready')
  async ready(@Res() reply: FastifyReply): Promise<void> {
    const report = await this.readiness.report();
    await reply.status(report.ready ? 200 : 503).send(report);
  }

  @Get('metrics')
  @Header('content-type', register.contentType)
  async metrics(): Promise<string> {
    return register.metrics();
  }
}
