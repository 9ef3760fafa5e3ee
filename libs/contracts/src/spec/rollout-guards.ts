import { Type, type Static } from '@sinclair/typebox';
import { Literals, Share } from '../scalars.js';

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
    answerDifference: Type.Optional(Type.Object({ max: Share({ description: 'shadow: part of the answers that may differ from the champion’s by more than the champion’s own do when it is asked again (their 99th percentile); for candidates that are meant to be the same model, such as one converted or quantised' }) }, { ...closed, description: 'absent: told, and takes nobody back' })),
    business: Type.Optional(
      Type.Object(
        {
          field: Type.String({ minLength: 1, description: 'a number in the records of labels, such as revenue; judged where units are split between the arms (canary, linear, ab, bandit)' }),
          direction: Literals(['higher-is-better', 'lower-is-better'], { default: 'higher-is-better' }),
          margin: Type.Optional(Type.Number({ minimum: 0, description: 'how much worse than the champion’s the candidate’s mean may be, in the unit of the field; absent, without marginRelative: 0' })),
          marginRelative: Type.Optional(Type.Number({ minimum: 0, maximum: 1, description: 'the same as a part of the champion’s mean; then lowest is 0 or more' })),
          lowest: Type.Number({ description: 'values are clipped to [lowest, highest], and those clipped are counted: the narrower, the sooner is harm found' }),
          highest: Type.Number(),
          whenMissing: Type.Optional(Type.Number({ description: 'what an outcome without the field counts as, such as 0 where only sales tell a revenue; absent: it does not count' })),
        },
        closed,
      ),
    ),
  },
  { ...closed, default: {} },
);
export type RolloutGuards = Static<typeof RolloutGuards>;

/** Mistakes that one member alone does not show, with their JSON pointers. */
export function guardMistakes({ predictionShift, business }: RolloutGuards, task: string): { path: string; message: string }[] {
  const at = '/spec/rollout/guards';
  const mistakes: { path: string; message: string }[] = [];
  if (predictionShift !== undefined && predictionShift.lowest >= predictionShift.highest) mistakes.push({ path: `${at}/predictionShift`, message: 'lowest must lie below highest' });
  if (predictionShift !== undefined && task === 'multiclass') mistakes.push({ path: `${at}/predictionShift`, message: 'a multiclass model has no single score whose mean could shift' });
  if (business === undefined) return mistakes;
  const { lowest, highest, margin, marginRelative, whenMissing = lowest } = business;
  if (lowest >= highest) mistakes.push({ path: `${at}/business`, message: 'lowest must lie below highest' });
  if (margin !== undefined && marginRelative !== undefined) mistakes.push({ path: `${at}/business/marginRelative`, message: 'give margin or marginRelative, not both' });
  if (marginRelative !== undefined && lowest < 0) mistakes.push({ path: `${at}/business/lowest`, message: 'a part of a mean that may be negative is no margin; use margin' });
  if (whenMissing < lowest || whenMissing > highest) mistakes.push({ path: `${at}/business/whenMissing`, message: `must lie between ${lowest} and ${highest}` });
  return mistakes;
}
