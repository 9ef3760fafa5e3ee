import { Type, type Static } from '@sinclair/typebox';
import { Name, Share } from '../scalars.js';
import { PredictionOutput } from '../events/inference.js';

const closed = { additionalProperties: false } as const;
const positive = (description: string) => Type.Optional(Type.Number({ exclusiveMinimum: 0, description }));
const count = (description: string) => Type.Optional(Type.Integer({ minimum: 1, description }));

const Batching = Type.Object(
  {
    rowsMax: count('rows of one run of the model'),
    windowMs: Type.Optional(Type.Number({ minimum: 0, maximum: 10_000, description: 'time that a request may wait for others; 0: what one turn of the event loop brings' })),
    preferredRows: Type.Optional(Type.Array(Type.Integer({ minimum: 1 }), { description: 'a window ends early when one of these is reached' })),
  },
  { ...closed, default: {} },
);

const Limits = Type.Object(
  {
    queuedRowsMax: count('rows waiting or running; beyond it requests are refused at once'),
    queuedMsMax: positive('requests that would wait longer are refused at once'),
    deadlineMs: positive('time that a request has when it names none; it is not run later'),
    runMsMax: positive('a run that takes longer is given up, and the worker replaced'),
    memoryMbMax: positive('resident memory of the model’s worker; beyond it the worker is replaced'),
  },
  { ...closed, default: {} },
);

/** Who answers when the routed version fails: its predecessor, another model, or a constant that is marked as such. */
const Fallback = Type.Union([
  Type.Object({ to: Type.Literal('previous-version') }, closed),
  Type.Object({ to: Type.Literal('model'), model: Name }, closed),
  Type.Object({ to: Type.Literal('constant'), output: PredictionOutput }, closed),
]);
export type Fallback = Static<typeof Fallback>;

const AnswerExplanations = Type.Object(
  { share: Share({ default: 0, description: 'part of the answered rows that are explained after their answer, drawn by a hash of the prediction id; monitoring watches their attributions from the next training on. 0: none' }) },
  { ...closed, default: {} },
);

/** How a model is served; every member may be left out. */
export const Serving = Type.Object(
  {
    batching: Batching,
    limits: Limits,
    fallback: Type.Optional(Fallback),
    stream: Type.Boolean({ default: false, description: 'every admitted record of the stream is answered too, straight from Kafka' }),
    explanations: AnswerExplanations,
  },
  { ...closed, default: {} },
);
export type Serving = Static<typeof Serving>;
