import { Injectable, type OnModuleInit } from '@nestjs/common';
import { recordAdmitted } from '@millrace/contracts';
import { Messaging, type Consumption } from '@millrace/messaging';
import { RouteChangedFollower } from './route-changed.follower.js';
import { ScoreRecordsHandler } from './score-records.handler.js';

/**
 * A pipe per model whose spec says `serving.stream`, so that a model that fails holds up its own records only. A model that
 * asks anew goes on where it was; one that asks for the first time begins with the oldest record that the log holds.
 */
@Injectable()
export class StreamScoring implements OnModuleInit {
  private readonly pipes = new Map<string, { readonly stream: string; readonly pipe: Promise<Consumption> }>();

  constructor(
    private readonly follower: RouteChangedFollower,
    private readonly messaging: Messaging,
    private readonly scoreRecords: ScoreRecordsHandler,
  ) {}

  onModuleInit(): void {
    void this.follower.followed.then(() => this.follower.onStreams((streams) => this.consider(streams)));
  }

  /** @param streams by model. */
  private consider(streams: ReadonlyMap<string, string>): void {
    for (const [model, { stream, pipe }] of this.pipes) {
      if (streams.get(model) === stream) continue;
      this.pipes.delete(model);
      void pipe.then((running) => running.stop()).catch(() => undefined);
    }
    for (const [model, stream] of streams) {
      if (this.pipes.has(model)) continue;
      const purpose = `score.${model}`;
      const group = this.messaging.group(purpose);
      const pipe = this.messaging.pipe(purpose, { topics: [recordAdmitted.type], transform: (deliveries) => this.scoreRecords.score({ model, stream, group }, deliveries) });
      this.pipes.set(model, { stream, pipe });
    }
  }
}
