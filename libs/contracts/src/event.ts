import type { Static, TSchema } from '@sinclair/typebox';
import type { TopicName } from './topics.js';

/** One kind of event: its topic is its CloudEvents type, its schema judges `data`, its key is the CloudEvents subject. */
export interface EventDefinition<T extends TSchema = TSchema> {
  readonly type: TopicName;
  readonly schema: T;
}

export type DataOf<D extends EventDefinition> = Static<D['schema']>;

export function defineEvent<T extends TSchema>(type: TopicName, schema: T): EventDefinition<T> {
  return { type, schema };
}
