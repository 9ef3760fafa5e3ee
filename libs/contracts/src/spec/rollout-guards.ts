import { Type, type Static } from '@sinclair/typebox';
import { Share } from '../scalars.js';

const closed = { additionalProperties: false } as const;

/** What a candidate may not do while it is tried; a breach takes it back at once, in any step, also in shadow and while paused. */
export const RolloutGuards = Type.Object(
  {
    alphaShare: Type.Number({ exclusiveMinimum: 0, maximum: 1, default: 0.2, description: 'chance that any guard takes back a candidate that keeps within every limit, as a part of the roll-out’s alpha' }),
    errorRate: Type.Object(
      {
        enabled: Type.Boolean({ default: true }),
        worseByMax: Type.Number({ minimum: 0, maximum: 0.5, default: 0.01, description: 'how much larger than the champion’s its share of requests without an answer may be: errors, crashes, missed deadlines, outputs that cannot be read' }),
        max: Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1, default: 0.05, description: 'its largest share where no champion answers beside it' }),
      },
      { ...closed, default: {} },
    ),
    latencyMsP99: Type.Object(
      {
        enabled: Type.Boolean({ default: true }),
        ratioMax: Type.Number({ minimum: 1, default: 1.5, description: 'how many times the champion’s p99 its own may be' }),
        slackMs: Type.Number({ minimum: 0, default: 5, description: 'a p99 no more than this above the champion’s is tolerated whatever the ratio' }),
      },
      { ...closed, default: {} },
    ),
    predictionShift: Type.Optional(
      Type.Object(
        {
          max: Share({ description: 'how far apart the arms’ mean predictions may be, as a part of highest − lowest' }),
          lowest: Type.Number({ default: 0, description: 'predictions are clipped to [lowest, highest]: the probability of the positive class, or the value of a regression' }),
          highest: Type.Number({ default: 1 }),
        },
        closed,
      ),
    ),
  },
  { ...closed, default: {} },
);
export type RolloutGuards = Static<typeof RolloutGuards>;
