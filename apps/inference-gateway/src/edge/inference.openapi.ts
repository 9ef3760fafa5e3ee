import type { OpenAPIObject } from '@nestjs/swagger';
import { ExplainRequest, ExplainResponse, PredictRequest, PredictResponse } from '@millrace/contracts';
import { openApiSchema } from '@millrace/service';

/** The hot routes go past Nest’s pipeline, so the OpenAPI page learns of them here. */
const model = { name: 'model', in: 'path' as const, required: true, schema: { type: 'string' } };
const version = { ...model, name: 'version' };
const json = (schema: Record<string, unknown>) => ({ 'application/json': { schema } });
const failure = { description: 'error, and on /v1 its code and every mistake', content: json({ type: 'object', properties: { error: { type: 'string' }, code: { type: 'string' } }, required: ['error'] }) };
const failures = { '400': failure, '404': failure, '503': failure };

const tensors = { type: 'array', items: { type: 'object', properties: { name: { type: 'string' }, shape: { type: 'array', items: { type: 'integer' } }, datatype: { type: 'string' }, data: { type: 'array', items: {} } }, required: ['name', 'shape', 'datatype', 'data'] } };
const inferRequest = { type: 'object', properties: { id: { type: 'string' }, inputs: tensors, outputs: { type: 'array', items: { type: 'object', properties: { name: { type: 'string' } } } } }, required: ['inputs'] };
const inferResponse = { type: 'object', properties: { model_name: { type: 'string' }, model_version: { type: 'string' }, id: { type: 'string' }, outputs: tensors }, required: ['model_name', 'outputs'] };

const infer = (parameters: readonly (typeof model)[], summary: string) => ({
  post: {
    tags: ['open inference protocol'],
    summary,
    parameters: [...parameters],
    requestBody: { required: true, content: json(inferRequest) },
    responses: { '200': { description: 'the outputs', content: json(inferResponse) }, ...failures },
  },
});

export const inferencePaths: OpenAPIObject['paths'] = {
  '/v1/models/{model}/predict': {
    post: {
      tags: ['predictions'],
      summary: 'Predictions for named features; each is logged, so that the label that comes later finds it',
      parameters: [model],
      requestBody: { required: true, content: json(openApiSchema(PredictRequest)) },
      responses: { '200': { description: 'one prediction per instance, in order', content: json(openApiSchema(PredictResponse)) }, ...failures },
    },
  },
  '/v1/models/{model}/explain': {
    post: {
      tags: ['predictions'],
      summary: 'Which features made the answer for each row, and how much each (Shapley values); not logged',
      parameters: [model],
      requestBody: { required: true, content: json(openApiSchema(ExplainRequest)) },
      responses: { '200': { description: 'one explanation per instance, in order', content: json(openApiSchema(ExplainResponse)) }, ...failures, '422': failure },
    },
  },
  '/v2/models/{model}/infer': infer([model], 'Open Inference Protocol, JSON; the routed version answers'),
  '/v2/models/{model}/versions/{version}/infer': infer([model, version], 'The same of a version that is named; outside the split, not logged'),
};
