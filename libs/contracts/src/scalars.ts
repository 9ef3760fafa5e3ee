import { Type, type TSchema } from '@sinclair/typebox';

/** Shared field schemas, so that each kind of value is described once. */
export const Instant = Type.String({ format: 'date-time', description: 'ISO 8601 instant' });
export const Duration = (options: { default?: string; description?: string } = {}) =>
  Type.String({ format: 'duration', ...options });
const durationPattern = /^P(?:(\d+)W|(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?)$/;

/** Milliseconds of an ISO 8601 duration without months or years, whose length is not fixed. @throws RangeError for anything else. */
export function durationMs(text: string): number {
  const match = durationPattern.exec(text);
  if (match === null || text === 'P' || text.endsWith('T')) throw new RangeError(`${text} is no ISO 8601 duration of weeks, days, hours, minutes or seconds`);
  const [, weeks = '0', days = '0', hours = '0', minutes = '0', seconds = '0'] = match;
  return ((((Number(weeks) * 7 + Number(days)) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
}
export const Sha256 = Type.String({ format: 'sha256', description: 'SHA-256, lower-case hexadecimal' });
export const Name = Type.String({ pattern: '^[a-z][a-z0-9-]{0,62}$', description: 'lower-case letters, digits and dashes' });
export const Offset = Type.Integer({ minimum: 0, description: 'Kafka offset' });
export const Count = Type.Integer({ minimum: 0 });
export const Share = (options: { default?: number; description?: string } = {}) => Type.Number({ minimum: 0, maximum: 1, ...options });
export const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
export const Literals = <const T extends readonly string[]>(values: T, options: { default?: T[number]; description?: string } = {}) =>
  Type.Unsafe<T[number]>(Type.Union(values.map((value) => Type.Literal(value)), options));
export const OffsetRange = Type.Object({ topic: Type.String(), partition: Type.Integer({ minimum: 0 }), fromOffset: Offset, toOffset: Offset });
export const Position = Type.Object({ topic: Type.String(), partition: Type.Integer({ minimum: 0 }), offset: Offset });
export const RecordValue = Type.Record(Type.String(), Type.Unknown(), { description: 'the producer’s JSON object' });
