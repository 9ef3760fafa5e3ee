import type { Static, TSchema } from '@sinclair/typebox';
import type { TopicName } from './topics.js';

/** One kind of event: its topic is its CloudEvents type, its schema judges `data`, its key is the CloudEvents subject. */
export interface EventDefinition<T extends TSchema = TSchema> {
  readonly type: TopicName;
  readonly schema: T;
  /**
   * Brings data that match the schema, from an older or a newer writer, to the form that this reader knows.
   * @throws MillraceError when that is impossible: the event is then treated like one that does not match.
   */
  read?(data: Static<T>): Static<T>;
}

export type DataOf<D extends EventDefinition> = Static<D['schema']>;

export function defineEvent<T extends TSchema>(type: TopicName, schema: T, read?: (data: Static<T>) => Static<T>): EventDefinition<T> {
  return { type, schema, ...(read === undefined ? {} : { read }) };
}
