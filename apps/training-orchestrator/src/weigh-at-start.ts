import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { inTransaction } from '@millrace/persistence';
import { ServiceLog } from '@millrace/service';
import { ModelsInForce } from './models-in-force.js';
import { WeighRetrainingHandler } from './weigh-retraining.handler.js';

/** A spec may come after the data that it is about: a new or changed spec or contract asks the question too, and so does a start. */
@Injectable()
export class WeighAtStart implements OnApplicationBootstrap {
  constructor(
    private readonly database: DataSource,
    private readonly models: ModelsInForce,
    private readonly weighRetraining: WeighRetrainingHandler,
    private readonly log: ServiceLog,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.models.ready();
    this.models.onChange((model) => void this.weigh(model));
    for (const model of this.models.models()) await this.weigh(model);
  }

  private async weigh(model: string): Promise<void> {
    try {
      await inTransaction(this.database, (transaction) => this.weighRetraining.handle(transaction, model, { via: 'start' }));
    } catch (error) {
      // The next event of the model asks again.
      this.log.warn({ err: error, model }, `whether to train ${model} could not be weighed`);
    }
  }
}
