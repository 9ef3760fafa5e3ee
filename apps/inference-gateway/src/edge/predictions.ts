import type { IncomingHttpHeaders } from 'node:http';
import { MillraceError } from '@millrace/contracts';
import type { HttpAnswer } from '@millrace/service';
import type { InferTensorsHandler } from '../data-plane/infer-tensors.handler.js';
import type { Log } from '../data-plane/log.js';
import type { PredictInstancesHandler } from '../data-plane/predict-instances.handler.js';
import { compressible, errorAnswer, jsonAnswer } from './answers.js';
import { parseJson } from './request-body.js';
import { traceparentOf } from './traceparent.js';

/** A request for predictions as every transport gives it. */
export interface PredictionRequest {
  readonly url: string;
  readonly model: string;
  /** Of `infer`: whom the path names. */
  readonly version?: string | undefined;
  readonly headers: IncomingHttpHeaders;
  /** As it was before it was compressed. */
  readonly body: Buffer;
}

export interface PredictionParts {
  readonly predictInstances: PredictInstancesHandler;
  readonly inferTensors: InferTensorsHandler;
  readonly log: Log;
}

/** What is asked many times a second: from a request to its answer, whichever transport carries them. None of them rejects. */
export class Predictions {
  constructor(private readonly parts: PredictionParts) {}

  /** Rows of named features. */
  async predict(request: PredictionRequest): Promise<HttpAnswer> {
    const { model, headers, body } = request;
    try {
      return await compressible(jsonAnswer(200, await this.parts.predictInstances.handle(model, parseJson(body), traceparentOf(headers.traceparent))), headers);
    } catch (error) {
      return this.failed(request, error);
    }
  }

  /** Tensors of the Open Inference Protocol, in JSON or binary. */
  async infer(request: PredictionRequest): Promise<HttpAnswer> {
    const { model, version, headers, body } = request;
    try {
      const headerLength = headerLengthOf(headers['inference-header-content-length']);
      const encoded = await this.parts.inferTensors.handle({ model, version, body, headerLength, traceparent: traceparentOf(headers.traceparent) });
      const answer: HttpAnswer =
        encoded.headerLength === null
          ? { status: 200, contentType: 'application/json', body: encoded.body }
          : { status: 200, contentType: 'application/octet-stream', headers: { 'inference-header-content-length': String(encoded.headerLength) }, body: encoded.body };
      return await compressible(answer, headers);
    } catch (error) {
      return this.failed(request, error);
    }
  }

  private failed({ url }: PredictionRequest, error: unknown): HttpAnswer {
    return errorAnswer(error, { method: 'POST', url }, this.parts.log);
  }
}

/** @throws MillraceError TENSOR_INVALID */
function headerLengthOf(header: string | string[] | undefined): number | undefined {
  if (header === undefined) return undefined;
  if (typeof header !== 'string' || !/^\d{1,10}$/u.test(header)) throw new MillraceError('TENSOR_INVALID', `Inference-Header-Content-Length must be the length of the JSON part in bytes, not ${String(header)}`);
  return Number(header);
}
