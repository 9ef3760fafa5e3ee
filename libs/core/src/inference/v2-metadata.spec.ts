// Goal: what a server says about itself has the members that clients read, in their spelling.
// Method: objects written down from the protocol and its extensions (statistics, model configuration, model repository).
import { describe, expect, it } from '@jest/globals';
import { modelConfig, modelMetadata, modelStatistics, repositoryIndex, serverMetadata, type Datatype } from './index.js';

const x = { name: 'x', datatype: 'FP32' satisfies Datatype, shape: [-1, 10], extra: 'no' };
const label = { name: 'label', datatype: 'BYTES' satisfies Datatype, shape: [-1] };

describe('metadata', () => {
  it('has the protocol’s members and no others', () => {
    expect(modelMetadata('m', ['1'], { inputs: [x], outputs: [] })).toEqual({ name: 'm', versions: ['1'], platform: 'onnx_onnxv1', inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 10] }], outputs: [] });
    expect(serverMetadata('millrace', '0.1.0', [])).toEqual({ name: 'millrace', version: '0.1.0', extensions: [] });
  });
});

describe('the model configuration', () => {
  it('leaves the batch out of the dimensions where there is one', () => {
    expect(modelConfig('m', { inputs: [x], outputs: [label], rowsMax: 64, windowMs: 0.5, preferredRows: [8], versions: ['1', '2'], instances: 2 })).toEqual({
      name: 'm', platform: 'onnxruntime_onnx', backend: 'onnxruntime', version_policy: { specific: { versions: [1, 2] } }, max_batch_size: 64,
      input: [{ name: 'x', data_type: 'TYPE_FP32', dims: [10] }], output: [{ name: 'label', data_type: 'TYPE_STRING', dims: [] }],
      dynamic_batching: { preferred_batch_size: [8], max_queue_delay_microseconds: 500 }, instance_group: [{ name: 'm', kind: 'KIND_CPU', count: 2 }],
    });
  });

  it('has whole shapes for a model that takes no batches, and no numbers for versions that are none', () => {
    const config = modelConfig('m', { inputs: [{ ...x, shape: [1, 10] }], outputs: [label], rowsMax: 64, versions: ['1.2.0'] });
    expect(config).toMatchObject({ max_batch_size: 0, input: [{ dims: [1, 10] }], output: [{ dims: [-1] }], version_policy: { all: {} } });
    expect(config).not.toHaveProperty('dynamic_batching');
  });
});

describe('statistics', () => {
  it('have counts and nanoseconds under the extension’s names', () => {
    const time = (count: number, ns: number) => ({ count, ns, more: 1 });
    const batch = (rows: number) => ({ rows, computeInput: time(1, 2), computeInfer: time(1, 3), computeOutput: time(1, 4) });
    expect(modelStatistics('m', '1', {
      lastInferenceMs: 1_700_000_000_000, inferenceCount: 5, executionCount: 2, success: time(2, 20), fail: time(1, 1), queue: time(3, 9),
      computeInput: time(2, 4), computeInfer: time(2, 6), computeOutput: time(2, 8), batches: [batch(4), batch(1)], memoryBytes: 1024,
    })).toEqual({
      name: 'm', version: '1', last_inference: 1_700_000_000_000, inference_count: 5, execution_count: 2,
      inference_stats: {
        success: { count: 2, ns: 20 }, fail: { count: 1, ns: 1 }, queue: { count: 3, ns: 9 }, compute_input: { count: 2, ns: 4 },
        compute_infer: { count: 2, ns: 6 }, compute_output: { count: 2, ns: 8 }, cache_hit: { count: 0, ns: 0 }, cache_miss: { count: 0, ns: 0 },
      },
      response_stats: {},
      batch_stats: [1, 4].map((rows) => ({ batch_size: rows, compute_input: { count: 1, ns: 2 }, compute_infer: { count: 1, ns: 3 }, compute_output: { count: 1, ns: 4 } })),
      memory_usage: [{ type: 'CPU', id: 0, byte_size: 1024 }],
    });
  });
});

describe('the repository index', () => {
  it('can be of what is ready only', () => {
    const entries = [{ name: 'a', version: '1', state: 'READY', reason: '', identity: 'no' }, { name: 'b', state: 'UNAVAILABLE', reason: 'unloaded' }] as const;
    expect(repositoryIndex(entries)).toEqual([{ name: 'a', version: '1', state: 'READY', reason: '' }, { name: 'b', state: 'UNAVAILABLE', reason: 'unloaded' }]);
    expect(repositoryIndex(entries, true)).toHaveLength(1);
  });
});
