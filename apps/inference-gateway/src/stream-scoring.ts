import { Injectable, type OnModuleInit } from '@nestjs/common';
import { RouteChangedFollower } from './route-changed.follower.js';
import { ScoreRecordsHandler } from './score-records.handler.js';

/** Joins specs and scoring once both are there. */
@Injectable()
export class StreamScoring implements OnModuleInit {
  constructor(
    private readonly follower: RouteChangedFollower,
    private readonly scoreRecords: ScoreRecordsHandler,
  ) {}

  onModuleInit(): void {
    void this.follower.followed.then(() => this.follower.onStreams((streams) => this.scoreRecords.consider(streams)));
  }
}
