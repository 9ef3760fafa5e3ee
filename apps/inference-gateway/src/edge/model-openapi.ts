import { ExplainResponse } from '@millrace/contracts';
import type { ServingVersion } from '../data-plane/serving-version.js';

const failure = { description: 'error, and on /v1 its code and every mistake', content: { 'application/json': { schema: { type: 'object', required: ['error'], properties: { error: { type: 'string' }, code: { type: 'string' } } } } } };

function featuresSchema(version: ServingVersion): object {
  const { features } = version.tabular().layout;
  return {
    type: 'object',
    required: features.map(({ name }) => name),
    properties: Object.fromEntries(features.map(({ name, type }) => [name, { type: type === 'number' ? 'number' : 'string', nullable: true }])),
    additionalProperties: false,
  };
}

const predictRequest = (version: ServingVersion): object => ({
  type: 'object',
  required: ['instances'],
  properties: {
    timeoutMs: { type: 'number', exclusiveMinimum: true, minimum: 0 },
    instances: { type: 'array', minItems: 1, items: { type: 'object', required: ['features'], properties: { id: { type: 'string' }, unit: { type: 'string' }, eventTime: { type: 'string', format: 'date-time' }, features: featuresSchema(version) } } },
  },
});

const explainRequest = (version: ServingVersion): object => {
  const rows = { type: 'array', minItems: 1, maxItems: 1_000, items: { type: 'object', required: ['features'], properties: { features: featuresSchema(version) } } };
  const { classes } = version.tabular().signature;
  return { type: 'object', required: ['instances'], properties: { instances: rows, background: rows, timeoutMs: { type: 'number' }, version: { type: 'string' }, ...(classes.length === 0 ? {} : { class: { type: 'string', enum: classes } }) } };
};

function predictResponse(version: ServingVersion): object {
  const { task, classes } = version.tabular().signature;
  const share = { type: 'number', minimum: 0, maximum: 1 };
  const outputs = task === 'regression' ? { value: { type: 'number' } } : { label: { description: `one of ${classes.join(', ')}` }, ...(task === 'binary' ? { probability: share } : { probabilities: { type: 'object', additionalProperties: share } }) };
  return { type: 'object', properties: { model: { type: 'string' }, predictions: { type: 'array', items: { type: 'object', properties: { id: { type: 'string' }, predictionId: { type: 'string' }, version: { type: 'string' }, ...outputs } } } } };
}

const tensorSchema = ({ name, datatype, shape }: { name: string; datatype: string; shape: readonly number[] }): object => ({
  type: 'object',
  required: ['name', 'shape', 'datatype', 'data'],
  description: `${datatype} [${shape.map((dim) => (dim === -1 ? 'any' : dim)).join(', ')}]`,
  properties: { name: { type: 'string', enum: [name] }, datatype: { type: 'string', enum: [datatype] }, shape: { type: 'array', items: { type: 'integer' } }, data: { type: 'array', items: {} } },
});

const inferRequest = ({ inputs }: ServingVersion): object => ({ type: 'object', required: ['inputs'], properties: { id: { type: 'string' }, inputs: { type: 'array', minItems: inputs.length, maxItems: inputs.length, items: { oneOf: inputs.map(tensorSchema) } } } });
const inferResponse = ({ outputs }: ServingVersion): object => ({ type: 'object', properties: { model_name: { type: 'string' }, model_version: { type: 'string' }, id: { type: 'string' }, outputs: { type: 'array', items: { oneOf: outputs.map(tensorSchema) } } } });

const post = (summary: string, request: object, response: object, example?: object): object => ({
  post: {
    summary,
    requestBody: { required: true, content: { 'application/json': { schema: request, ...(example === undefined ? {} : { example }) } } },
    responses: { '200': { description: 'answered', content: { 'application/json': { schema: response } } }, '400': failure, '404': failure, '503': failure },
  },
});

/** OpenAPI 3.0 of one model, generated from the signature of the version that answers now. */
export function openApiOf(model: string, version: ServingVersion, example: object): object {
  const name = encodeURIComponent(model);
  return {
    openapi: '3.0.3',
    info: { title: `Model ${model}`, version: version.version },
    paths: {
      ...(version.isTabular ? { [`/v1/models/${name}/predict`]: post('Predictions for named features', predictRequest(version), predictResponse(version), example), [`/v1/models/${name}/explain`]: post('Which features made the answer, and how much each', explainRequest(version), ExplainResponse, example) } : {}),
      [`/v2/models/${name}/infer`]: post('Tensors by the Open Inference Protocol', inferRequest(version), inferResponse(version), version.isTabular ? undefined : example),
    },
  };
}
