// Goal: a file that is no good is refused with a reason its owner understands, and hurts no model that is being served.
// Method: real files with one fault each, among them one that crashes the runtime while it loads and one that takes minutes.
import { afterAll, describe, expect, it } from '@jest/globals';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { crashingFile, endlessFile, identityModel, loopModel, writeOnnx, type OnnxValue } from '../testing/index.js';
import { column } from './feeds.fixture.js';
import { ModelHost } from './model-host.js';

const foldersBefore = new Set(readdirSync(tmpdir()));
const host = new ModelHost({ workersMax: 1, loadMsMax: 1500 });
afterAll(() => host.close());

const tensor = (name: string): OnnxValue => ({ name, type: 'FP32', shape: [1] });
const withNode = (op: string, inputs: string[], domain = '', constants: { name: string; shape: number[]; floats: string }[] = [], opset = 17): Buffer =>
  writeOnnx({ inputs: [tensor('x')], outputs: [tensor('y')], nodes: [{ op, domain, inputs, outputs: ['y'] }], constants }, { opset });
const weights = (floats: string) => [{ name: 'w', shape: [1], floats }];

const faults: readonly (readonly [string, { bytes?: Uint8Array; path?: string }, RegExp])[] = [
  ['an empty file', { bytes: new Uint8Array() }, /is empty/],
  ['a text', { bytes: Buffer.from('hello') }, /no ONNX file/],
  ['a file cut short', { bytes: identityModel('FP32').subarray(0, 60) }, /no ONNX file, or a part of it is missing/],
  ['zeros', { bytes: Buffer.alloc(1000) }, /no ONNX file/],
  ['an unknown operator', { bytes: withNode('Frobnicate', ['x']) }, /does not know its operator Frobnicate/],
  ['a foreign operator set', { bytes: withNode('Foo', ['x'], 'com.acme') }, /does not know the operators of com\.acme/],
  ['a newer operator set', { bytes: withNode('Identity', ['x'], '', [], 99) }, /newer runtime \(Opset 99/],
  ['weights that are not there', { bytes: withNode('Add', ['x', 'w'], '', weights('weights.bin')) }, /weights in the file weights\.bin, which is not there/],
  ['weights outside its folder', { bytes: withNode('Add', ['x', 'w'], '', weights('../../etc/passwd')) }, /outside its own folder/],
  ['a graph with a loose end', { bytes: withNode('Identity', ['z']) }, /'z' is not a graph input/],
  ['a path to nothing', { path: '/nowhere/model.onnx' }, /cannot be read/],
  ['a folder', { path: tmpdir() }, /is no file/],
  ['neither bytes nor a path', {}, /either as bytes or as a path/],
  ['a tensor named __proto__', { bytes: writeOnnx({ inputs: [tensor('__proto__')], outputs: [tensor('y')], nodes: [{ op: 'Identity', inputs: ['__proto__'], outputs: ['y'] }] }) }, /named __proto__/],
];

describe('a host with a model in service', () => {
  it.each(faults)('refuses %s', async (_case, source, reason) => {
    await expect(host.load(source)).rejects.toMatchObject({ code: 'MODEL_LOAD_FAILED', message: expect.stringMatching(reason) });
  });

  it('refuses another signature than the one expected, naming every difference', async () => {
    const expected = { inputs: [{ name: 'x', datatype: 'INT64' }, { name: 'z', datatype: 'FP32' }], outputs: [] };
    await expect(host.load({ bytes: identityModel('FP32') }, { expected })).rejects.toMatchObject({
      code: 'MODEL_LOAD_FAILED',
      message: expect.stringMatching(/input x is FP32, not INT64; input z is not in the file; the file has an unexpected output y/),
    });
  });

  it('keeps answering while files crash, hang and fail beside it', async () => {
    const served = await host.load({ bytes: identityModel('FP32') }, { name: 'served' });
    let loading = true;
    const outcomes = Promise.allSettled([host.load({ bytes: crashingFile() }), host.load({ bytes: endlessFile() }), host.load({ bytes: Buffer.from('x') }), host.load({ bytes: loopModel() }, { name: 'loop' })])
      .finally(() => (loading = false));
    while (loading) expect((await served.run({ x: column([1]) }))['y']?.data[0]).toBe(1);
    const reasons = (await outcomes).map((outcome) => (outcome.status === 'rejected' ? String(outcome.reason) : 'loaded'));
    expect(reasons).toEqual([expect.stringMatching(/was lost: it died of SIGFPE/), expect.stringMatching(/was lost: .*more than 1500 ms/), expect.stringMatching(/no ONNX file/), 'loaded']);
    expect(served.statistics).toMatchObject({ replacements: 0, fail: { count: 0 } });
  });

  it('starts no worker for loads that were under way when it closes', async () => {
    const closing = new ModelHost({ workersMax: 1 });
    const loads = Array.from({ length: 4 }, () => closing.load({ bytes: identityModel('FP32') }));
    const settled = Promise.allSettled(loads);
    await closing.close();
    expect((await settled).map(({ status }) => status)).toContain('rejected');
    expect(closing.workers).toEqual([]);
  });

  it('leaves no file, no process and no open door behind', async () => {
    await host.close();
    expect(host.workers).toEqual([]);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith(`millrace-models-${process.pid}-`) && !foldersBefore.has(name))).toEqual([]);
    await expect(host.load({ bytes: identityModel('FP32') })).rejects.toMatchObject({ code: 'MODEL_NOT_READY' });
  });
});
