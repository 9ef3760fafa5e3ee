import { requestBytes } from '../load/request-bytes.js';
import { columnsModel, vectorModel } from '../models/model-folder.js';
import { featureNames, featureRows } from '../models/tree-ensemble.js';

/** So many different requests are sent in turn: enough that nobody can answer from a cache of the last one. */
const different = 256;
const json = { 'content-type': 'application/json' };

const inferBody = (rows: readonly (readonly number[])[], id: string): string => JSON.stringify({ id, inputs: [{ name: 'x', shape: [rows.length, rows[0]?.length ?? 0], datatype: 'FP32', data: rows.flat() }] });

/** V2 with JSON tensors, one row a request, at any path: peers and the echo are sent the same bytes. */
export function inferJson(path = `/v2/models/${vectorModel}/infer`): Uint8Array[] {
  return featureRows(different, 2).map((row, index) => requestBytes({ path, headers: json, body: inferBody([row], `r${index}`) }));
}

function binaryRequest(path: string, rows: readonly (readonly number[])[], id: string): Uint8Array {
  const values = Float32Array.from(rows.flat());
  const tensor = { name: 'x', shape: [rows.length, rows[0]?.length ?? 0], datatype: 'FP32', parameters: { binary_data_size: values.byteLength } };
  const head = Buffer.from(JSON.stringify({ id, parameters: { binary_data_output: true }, inputs: [tensor] }));
  return requestBytes({ path, headers: { 'content-type': 'application/octet-stream', 'inference-header-content-length': head.length }, body: Buffer.concat([head, Buffer.from(values.buffer)]) });
}

/** V2 with binary tensors both ways, as stock clients ask by default. */
export function inferBinary(path = `/v2/models/${vectorModel}/infer`): Uint8Array[] {
  return featureRows(different, 2).map((row, index) => binaryRequest(path, [row], `r${index}`));
}

export function inferBatch(rows: number, form: 'json' | 'binary', path = `/v2/models/${vectorModel}/infer`): Uint8Array[] {
  return Array.from({ length: 4 }, (_, index) => {
    const batch = featureRows(rows, 10 + index);
    return form === 'binary' ? binaryRequest(path, batch, `b${index}`) : requestBytes({ path, headers: json, body: inferBody(batch, `b${index}`) });
  });
}

/** Rows of named features, one a request. */
export function predictNamed(): Uint8Array[] {
  return featureRows(different, 2).map((row, index) => {
    const features = Object.fromEntries(featureNames.map((name, column) => [name, row[column]]));
    return requestBytes({ path: `/v1/models/${columnsModel}/predict`, headers: json, body: JSON.stringify({ instances: [{ id: `r${index}`, features }] }) });
  });
}

/** One number to a model that takes one. */
export function inferOne(model: string): Uint8Array[] {
  return featureRows(different, 2).map(([value], index) => requestBytes({ path: `/v2/models/${model}/infer`, headers: json, body: inferBody([[value ?? 0]], `r${index}`) }));
}
