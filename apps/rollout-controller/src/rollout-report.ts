import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { reportConduct } from './rollout-controller.metrics.js';
import { RolloutStore } from './rollout.store.js';

/** After a start the gauges would be empty until the next outcome; they are filled from what is stored. */
@Injectable()
export class RolloutReport implements OnApplicationBootstrap {
  constructor(private readonly store: RolloutStore) {}

  async onApplicationBootstrap(): Promise<void> {
    for (const row of await this.store.latestOfEachModel()) reportConduct({ model: { model: row.model, revision: 0, route: null, streamTime: null }, steps: [] }, row);
  }
}
