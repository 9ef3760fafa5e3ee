import { Type, type Static } from '@sinclair/typebox';

const CustomProperty = Type.Object({ property: Type.String(), value: Type.Unknown() });

const QualityRule = Type.Object({
  type: Type.Optional(Type.String()),
  metric: Type.Optional(Type.String()),
  rule: Type.Optional(Type.String()),
  arguments: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  unit: Type.Optional(Type.String()),
  mustBe: Type.Optional(Type.Number()),
  mustBeGreaterThan: Type.Optional(Type.Number()),
  mustBeGreaterOrEqualTo: Type.Optional(Type.Number()),
  mustBeLessThan: Type.Optional(Type.Number()),
  mustBeLessOrEqualTo: Type.Optional(Type.Number()),
  mustBeBetween: Type.Optional(Type.Array(Type.Number(), { minItems: 2, maxItems: 2 })),
  engine: Type.Optional(Type.String()),
  implementation: Type.Optional(Type.Unknown()),
  description: Type.Optional(Type.String()),
});
export type ContractQualityRule = Static<typeof QualityRule>;

const Property = Type.Object({
  name: Type.String({ minLength: 1 }),
  logicalType: Type.Optional(Type.String()),
  required: Type.Optional(Type.Boolean()),
  primaryKey: Type.Optional(Type.Boolean()),
  primaryKeyPosition: Type.Optional(Type.Integer()),
  logicalTypeOptions: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  quality: Type.Optional(Type.Array(QualityRule)),
  customProperties: Type.Optional(Type.Array(CustomProperty)),
});
export type ContractProperty = Static<typeof Property>;

const SchemaObject = Type.Object({
  name: Type.String({ minLength: 1 }),
  physicalName: Type.String({ minLength: 1, description: 'the Kafka topic' }),
  properties: Type.Array(Property, { minItems: 1 }),
  quality: Type.Optional(Type.Array(QualityRule)),
  customProperties: Type.Optional(Type.Array(CustomProperty)),
});
export type ContractSchemaObject = Static<typeof SchemaObject>;

/**
 * What Millrace reads of an Open Data Contract Standard 3.1 document (bitol-io/open-data-contract-standard). Other
 * members are allowed and left alone: the contract is the producers’ document, too.
 */
export const ContractDocument = Type.Object({
  apiVersion: Type.String({ pattern: '^v?3\\.' }),
  kind: Type.Literal('DataContract'),
  id: Type.String({ pattern: '^[a-z][a-z0-9-]{0,62}$', description: 'the stream' }),
  version: Type.String({ minLength: 1 }),
  schema: Type.Array(SchemaObject, { minItems: 1 }),
  slaProperties: Type.Optional(Type.Array(Type.Object({ property: Type.String(), value: Type.Unknown(), unit: Type.Optional(Type.String()), element: Type.Optional(Type.String()) }))),
});
export type ContractDocument = Static<typeof ContractDocument>;
