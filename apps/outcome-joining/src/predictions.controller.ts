import { Controller, Get, Param } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { MillraceError } from '@millrace/contracts';
import { ModelSpecs } from './model-specs.js';
import { PredictionStore } from './prediction.store.js';
import { readForModels } from './read-for-models.js';
import { StreamClocks } from './stream-clocks.js';
import { TallyStore } from './tally.store.js';

@ApiTags('predictions')
@Controller('v1')
export class PredictionsController {
  constructor(
    private readonly predictions: PredictionStore,
    private readonly tallies: TallyStore,
    private readonly clocks: StreamClocks,
    private readonly specs: ModelSpecs,
  ) {}

  @Get('predictions/:predictionId')
  @ApiOperation({ summary: 'One logged prediction, whether its label has come, and where both stand in the log' })
  async prediction(@Param('predictionId') predictionId: string): Promise<object> {
    const found = await this.predictions.find(predictionId);
    if (found === undefined) throw new MillraceError('PREDICTION_UNKNOWN', `No prediction has the id ${JSON.stringify(predictionId)}, or it has passed its retention.`);
    const { model, stream, recordId, state, expiresAt, served, label } = found;
    const { position, ...said } = served;
    const spec = this.specs.get(model);
    const read = label === null || spec === undefined ? undefined : readForModels({ stream, recordId, ...label }, [spec]).read[0]?.label;
    return {
      model,
      stream,
      recordId,
      ...said,
      ...position,
      state,
      expiresAt: expiresAt.toISOString(),
      label: label === null ? null : { value: read ?? null, fields: label.value, eventTime: label.eventTime, ...label.position },
    };
  }

  @Get('models/:model/accounting')
  @ApiOperation({ summary: 'How many predictions and labels came, and how they ended; joined + expired + waiting = recordsLogged' })
  async accounting(@Param('model') model: string): Promise<object> {
    const { stream } = this.specs.require(model);
    const counts = await this.tallies.read(model, stream);
    const clocks = await this.clocks.read();
    return {
      model,
      stream,
      predictionsLogged: counts.primary,
      recordsLogged: counts.records,
      shadowLogged: counts.shadow,
      repeatedPredictions: counts.repeated,
      joined: counts.joined,
      expired: counts.expired,
      waiting: counts.waiting,
      labelsSeen: counts.labels,
      labelsWithoutPrediction: counts.labels - counts.duplicates - counts.joined - counts.late,
      duplicateLabels: counts.duplicates,
      lateLabels: counts.late,
      unreadableLabels: counts.unreadable,
      streamTime: clocks.get(stream)?.toISOString() ?? null,
    };
  }
}
