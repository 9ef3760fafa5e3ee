import { mistakesOf, matches, refusal, type Mistake } from '@millrace/contracts';
import { ContractDocument, type ContractSchemaObject } from './contract-document.js';
import { compileProperty, type CompiledProperty } from './compile-property.js';
import { datasetRuleOf, latencyRules, type DatasetRule } from './dataset-rules.js';
import type { LogicalType, Violation } from './property-options.js';

export type Judgement = { readonly admitted: true } | { readonly admitted: false; readonly violations: Violation[] };

export interface CompiledSchema {
  readonly topic: string;
  /** Primary key fields in the order of their positions; their values name a record. */
  readonly keyFields: readonly string[];
  readonly eventTimeField: string;
  readonly fields: readonly { readonly name: string; readonly logicalType: LogicalType; readonly required: boolean }[];
  /** Rules that no single record can break; `judgeTable` judges them over a file. */
  readonly datasetRules: readonly DatasetRule[];
  /** Judges one parsed JSON value against every rule; lists every violation, in the order of the contract. */
  judge(value: unknown): Judgement;
}

export interface CompiledContract {
  readonly stream: string;
  readonly version: string;
  /** Largest share of a day’s records that may be quarantined before the contract counts as broken. */
  readonly quarantineShareMax: number;
  readonly record: CompiledSchema;
  readonly label: CompiledSchema;
}

const admitted: Judgement = Object.freeze({ admitted: true });
const quarantineShareDefault = 0.2;

function custom(schema: ContractSchemaObject, property: string): unknown {
  return schema.customProperties?.find((entry) => entry.property === property)?.value;
}

/** Own members only: a record may well carry a field called `constructor`. */
const fieldOf = (record: Record<string, unknown>, name: string): unknown => (Object.hasOwn(record, name) ? record[name] : undefined);

function judgeWith(properties: readonly CompiledProperty[], closed: boolean): (value: unknown) => Judgement {
  const known = new Set(properties.map(({ name }) => name));
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return { admitted: false, violations: [{ rule: 'object', field: '', value, message: 'the record is no JSON object' }] };
    }
    const record = value as Record<string, unknown>;
    let violations: Violation[] | undefined;
    for (const { name, required, checks } of properties) {
      const field = fieldOf(record, name);
      if (field === undefined || field === null) {
        if (required) (violations ??= []).push({ rule: 'required', field: name, value: field ?? null, message: `${name} is missing` });
        continue;
      }
      for (const check of checks) {
        const violation = check(field);
        if (violation === undefined) continue;
        (violations ??= []).push(violation);
        // A value of the wrong type would break every bound too; one story per field is enough.
        if (violation.rule === 'logicalType') break;
      }
    }
    if (closed) {
      for (const name in record) if (!known.has(name)) (violations ??= []).push({ rule: 'unknown-field', field: name, value: record[name], message: `${name} is not in the contract` });
    }
    return violations === undefined ? admitted : { admitted: false, violations };
  };
}

/** @param standing whether it describes a plain file, which needs neither key nor event time. */
function compileSchema(schema: ContractSchemaObject, path: string, mistakes: Mistake[], standing: 'in-the-ring' | 'plain-file' = 'in-the-ring'): CompiledSchema {
  const names = new Set<string>();
  const properties = schema.properties.map((property, index) => {
    if (names.has(property.name)) mistakes.push({ path: `${path}/properties/${index}/name`, message: `${property.name} is described twice` });
    names.add(property.name);
    return compileProperty(property, `${path}/properties/${index}`, mistakes);
  });
  const keys = schema.properties.filter(({ primaryKey }) => primaryKey === true);
  if (keys.length === 0 && standing === 'in-the-ring') mistakes.push({ path: `${path}/properties`, message: 'no property is the primaryKey; it names a record' });
  keys.sort((a, b) => (a.primaryKeyPosition ?? 0) - (b.primaryKeyPosition ?? 0));
  const eventTime = custom(schema, 'eventTime');
  const timed = properties.find(({ name }) => name === eventTime);
  if (timed === undefined && (standing === 'in-the-ring' || eventTime !== undefined)) mistakes.push({ path: `${path}/customProperties`, message: 'the custom property eventTime must name the property that holds the event time' });
  else if (timed !== undefined && timed.logicalType !== 'timestamp' && timed.logicalType !== 'date') mistakes.push({ path: `${path}/customProperties`, message: `eventTime names ${timed.name}, which is no timestamp` });
  const datasetRules = properties.flatMap((property) => property.datasetRules);
  schema.quality?.forEach((rule, index) => {
    if (rule.type !== undefined && rule.type !== 'library') return;
    const compiled = datasetRuleOf(rule, null);
    if (typeof compiled === 'string') mistakes.push({ path: `${path}/quality/${index}`, message: compiled });
    else datasetRules.push(compiled);
  });
  return {
    topic: schema.physicalName,
    datasetRules,
    keyFields: keys.map(({ name }) => name),
    eventTimeField: timed?.name ?? '',
    fields: properties.map(({ name, logicalType, required }) => ({ name, logicalType, required })),
    judge: judgeWith(properties, custom(schema, 'closed') === true),
  };
}

function refuse(mistakes: readonly Mistake[]): never {
  throw refusal('CONTRACT_INVALID', 'the data contract', mistakes);
}

/**
 * Compiles an ODCS 3.1 document to judges. Its `id` names the stream; the schema objects called `record` and `label`
 * describe what producers send and the truth that comes later; `physicalName` is their Kafka topic.
 * @throws MillraceError CONTRACT_INVALID listing every mistake with its JSON pointer.
 */
export function compileContract(document: unknown): CompiledContract {
  if (!matches(ContractDocument, document)) refuse(mistakesOf(ContractDocument, document));
  const mistakes: Mistake[] = [];
  const compiled = new Map<string, CompiledSchema>();
  document.schema.forEach((schema, index) => {
    if (schema.name === 'record' || schema.name === 'label') compiled.set(schema.name, compileSchema(schema, `/schema/${index}`, mistakes));
  });
  const [record, label] = [compiled.get('record'), compiled.get('label')];
  if (record === undefined) mistakes.push({ path: '/schema', message: 'no schema object is called record' });
  if (label === undefined) mistakes.push({ path: '/schema', message: 'no schema object is called label' });
  if (record !== undefined && record.topic === label?.topic) mistakes.push({ path: '/schema', message: 'record and label need topics of their own' });
  const recordSchema = document.schema.find(({ name }) => name === 'record');
  const share = (recordSchema === undefined ? undefined : custom(recordSchema, 'quarantineShareMax')) ?? quarantineShareDefault;
  if (typeof share !== 'number' || share < 0 || share > 1) mistakes.push({ path: '/schema', message: 'quarantineShareMax must be a share from 0 to 1' });
  if (mistakes.length > 0 || record === undefined || label === undefined) refuse(mistakes);
  return { stream: document.id, version: document.version, quarantineShareMax: Number(share), record, label };
}

/** Fields of a schema with the bounds and names that their values are held to, to tell what a value that breaks them is a sign of. */
export interface CompiledTable extends CompiledSchema {
  readonly properties: readonly ContractSchemaObject['properties'][number][];
}

/**
 * Compiles the schema object `record` of a contract, or its only one, to judge a plain file: without topic partners, key or
 * event time where the contract has none. `latency` among its slaProperties becomes a rule.
 * @throws MillraceError CONTRACT_INVALID listing every mistake with its JSON pointer.
 */
export function compileTable(document: unknown): CompiledTable {
  if (!matches(ContractDocument, document)) refuse(mistakesOf(ContractDocument, document));
  const index = document.schema.length === 1 ? 0 : document.schema.findIndex(({ name }) => name === 'record');
  const schema = document.schema[index];
  if (schema === undefined) refuse([{ path: '/schema', message: 'no schema object is called record' }]);
  const mistakes: Mistake[] = [];
  const compiled = compileSchema(schema, `/schema/${index}`, mistakes, 'plain-file');
  if (mistakes.length > 0) refuse(mistakes);
  return { ...compiled, properties: schema.properties, datasetRules: [...compiled.datasetRules, ...latencyRules(document, schema.name, compiled.eventTimeField)] };
}
