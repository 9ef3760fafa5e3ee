import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { MillraceError } from '@millrace/contracts';
import { inTransaction } from '@millrace/persistence';
import { ModelsInForce } from './models-in-force.js';
import { WeighRetrainingHandler, type Weighed } from './weigh-retraining.handler.js';

/** A person asks: cool-down and budget give way, a run under way and a broken contract do not. */
@Injectable()
export class RequestRunHandler {
  constructor(
    private readonly database: DataSource,
    private readonly models: ModelsInForce,
    private readonly weighRetraining: WeighRetrainingHandler,
  ) {}

  /** @throws MillraceError MODEL_UNKNOWN; DATASET_EMPTY when nothing of the stream is archived yet. */
  async handle(model: string, request: { by: string; reason: string }): Promise<Weighed> {
    const spec = this.models.spec(model);
    if (spec === undefined) throw new MillraceError('MODEL_UNKNOWN', `no model is called ${model}`);
    const weighed = await inTransaction(this.database, (transaction) => this.weighRetraining.handle(transaction, model, { via: 'http', ...request }));
    if (weighed === undefined) throw new MillraceError('DATASET_EMPTY', `nothing of the stream ${spec.spec.spec.stream} is archived yet, so there is nothing to train on`);
    return weighed;
  }
}
