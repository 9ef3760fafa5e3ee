/**
 * Goal: specs and contracts are versioned once per content, versions follow runs without gaps, aliases answer for any
 * time, damaged artifacts never leave, and every mistake is named.
 * Method: the registry as it runs (HTTP, consumers, outbox) on the memory log and real PostgreSQL; expectations are the
 * facts that were sent in.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { aliasMoved, contractChanged, routeChanged, runCompleted, sha256Hex, specChanged, stepDecided, versionRegistered } from '@millrace/contracts';
import { eventually } from '@millrace/testing';
import { completedRun, contractDocument, RegistryUnderTest, route, signature, specDocument } from './registry.fixture.js';

const bytes = Buffer.from('the bytes of a model');
const artifact = { sha256: sha256Hex(bytes), sizeBytes: bytes.byteLength };

describe('model-registry', () => {
  let registry: RegistryUnderTest;
  const applyBoth = async () => {
    await registry.call('PUT', '/v1/contracts/parcels', contractDocument());
    await registry.call('PUT', '/v1/models/parcel-delay', specDocument());
  };
  const flipAByte = async () => {
    const path = (await readdir(registry.folder, { recursive: true })).find((name) => name.endsWith(artifact.sha256));
    const file = join(registry.folder, path ?? 'not stored');
    const stored = await readFile(file);
    stored[3] = (stored[3] ?? 0) ^ 1;
    await writeFile(file, stored);
  };

  beforeEach(async () => {
    registry = await RegistryUnderTest.start();
  });
  afterEach(() => registry.stop());

  it('keeps one revision per content and tells the ring of each once', async () => {
    await applyBoth();
    const again = await registry.call('PUT', '/v1/models/parcel-delay', specDocument());
    expect(again).toMatchObject({ status: 200, body: { changed: false, revision: 1 } });
    expect(await registry.call('PUT', '/v1/contracts/parcels', contractDocument())).toMatchObject({ status: 200, body: { changed: false, version: '1.0.0' } });
    const changed = await registry.call('PUT', '/v1/models/parcel-delay', specDocument({ retraining: { initialRows: 50 } }));
    expect(changed).toMatchObject({ status: 200, body: { changed: true, revision: 2 } });
    await eventually('both revisions are published', async () => (await registry.published(specChanged)).length === 2);
    expect((await registry.published(specChanged)).map(({ revision }) => revision)).toEqual([1, 2]);
    expect(await registry.published(contractChanged)).toHaveLength(1);
  });

  it('gives racing writers of one model consecutive revisions', async () => {
    await registry.call('PUT', '/v1/contracts/parcels', contractDocument());
    const writes = Array.from({ length: 8 }, (_, index) => registry.call('PUT', '/v1/models/parcel-delay', specDocument({ retraining: { initialRows: 100 + index } })));
    const revisions = (await Promise.all(writes)).map(({ body }) => body['revision']);
    expect([...revisions].sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('wants a higher version for a changed contract', async () => {
    await registry.call('PUT', '/v1/contracts/parcels', contractDocument());
    const refused = await registry.call('PUT', '/v1/contracts/parcels', contractDocument('1.0.0', 'changed in silence'));
    expect(refused).toMatchObject({ status: 422, body: { code: 'CONTRACT_INVALID', mistakes: [{ path: '/version' }] } });
    expect(refused.body['error']).toContain('higher version');
    expect(await registry.call('PUT', '/v1/contracts/parcels', contractDocument('1.1.0', 'changed in the open'))).toMatchObject({ status: 200, body: { changed: true } });
    expect(await registry.call('GET', '/v1/contracts/parcels')).toMatchObject({ body: { version: '1.1.0', versions: [{ version: '1.0.0' }, { version: '1.1.0' }] } });
  });

  it('lists every mistake of a contract and of a spec with its place', async () => {
    const contract = await registry.call('PUT', '/v1/contracts/parcels', { ...contractDocument(), version: '', kind: 'Poem' });
    expect(contract).toMatchObject({ status: 422, body: { code: 'CONTRACT_INVALID' } });
    expect((contract.body['mistakes'] as { path: string }[]).map(({ path }) => path).sort()).toEqual(['/kind', '/version']);
    const early = await registry.call('PUT', '/v1/models/parcel-delay', specDocument());
    expect(early).toMatchObject({ status: 422, body: { code: 'SPEC_INVALID', mistakes: [{ path: '/spec/stream' }] } });
    expect(early.body['error']).toContain('apply the contract first');
    await registry.call('PUT', '/v1/contracts/parcels', contractDocument());
    const features = [{ name: 'wieght', type: 'number' }, { name: 'depot', type: 'number' }];
    const wrong = await registry.call('PUT', '/v1/models/parcel-delay', specDocument({ features, label: { field: 'tardy' } }));
    expect((wrong.body['mistakes'] as { path: string }[]).map(({ path }) => path)).toEqual(['/spec/features/0/name', '/spec/features/1/type', '/spec/label/field']);
    expect(await registry.published(specChanged)).toEqual([]);
  });

  it('makes each succeeded run the next version, once, and keeps the others for lineage', async () => {
    await applyBoth();
    await registry.call('PUT', `/v1/artifacts/${artifact.sha256}`, bytes);
    for (const run of [completedRun('a', artifact), completedRun('a', artifact), completedRun('b', artifact, { outcome: 'rejected', reason: 'auc too low' }), completedRun('c', artifact)]) {
      await registry.send(runCompleted, run, run.model);
    }
    await eventually('two versions are published', async () => (await registry.published(versionRegistered)).length === 2);
    expect((await registry.published(versionRegistered)).map(({ version, runId }) => [version, runId])).toEqual([['1', 'a'], ['2', 'c']]);
    const runs = await registry.call('GET', '/v1/models/parcel-delay/runs');
    expect((runs.body['runs'] as { runId: string; outcome: string }[]).map(({ runId, outcome }) => `${runId} ${outcome}`).sort()).toEqual(['a succeeded', 'b rejected', 'c succeeded']);
    expect(await registry.call('GET', '/v1/models/parcel-delay/versions/2/lineage')).toMatchObject({ body: { version: '2', run: { runId: 'c', seed: 42 }, dataset: { version: 'd'.repeat(64) } } });
  });

  it('writes the card from facts', async () => {
    await applyBoth();
    await registry.call('PUT', `/v1/artifacts/${artifact.sha256}`, bytes);
    await registry.send(runCompleted, completedRun('a', artifact), 'parcel-delay');
    await registry.send(routeChanged, route(1, '1', null, '2026-01-03T00:00:00Z', artifact), 'parcel-delay');
    await registry.send(stepDecided, {
      model: 'parcel-delay', rolloutId: 'r', candidateVersion: '1', championVersion: null, sequence: 1, from: 'registered', to: 'full', verdict: 'gate', reason: 'first version',
      evidence: { n: 1000, mean: null, low: null, high: null, margin: null, alpha: null }, decidedAt: '2026-01-03T00:00:00Z', streamTime: null,
    }, 'parcel-delay');
    const card = await eventually('the card shows the history', async () => {
      const { body } = await registry.call('GET', '/v1/models/parcel-delay/versions/1/card');
      const history = body['history'] as { aliases: object[]; rollout: object[] } | undefined;
      return history !== undefined && history.aliases.length === 1 && history.rollout.length === 1 ? body : undefined;
    });
    expect(card).toMatchObject({
      what: { task: 'binary', owner: 'logistics', algorithm: 'lightgbm' }, data: { trainingRows: 700 }, metrics: [{ name: 'auc', value: 0.8 }],
      features: [{ name: 'weight' }, { name: 'depot' }], history: { aliases: [{ alias: 'champion' }], rollout: [{ reason: 'first version' }] },
    });
  });

  it('answers which version was champion at any time', async () => {
    await applyBoth();
    const moves = [route(1, '1', null, '2026-01-03T00:00:00Z', artifact), route(2, '1', '2', '2026-01-05T00:00:00Z', artifact), route(3, '2', null, '2026-01-07T00:00:00Z', artifact), route(3, '2', null, '2026-01-07T00:00:00Z', artifact)];
    for (const move of moves) await registry.send(routeChanged, move, move.model);
    await eventually('four moves are told', async () => (await registry.published(aliasMoved)).length === 4);
    expect((await registry.published(aliasMoved)).map(({ alias, from, to }) => [alias, from, to])).toEqual([['champion', null, '1'], ['challenger', null, '2'], ['champion', '1', '2'], ['challenger', '2', null]]);
    const at = async (alias: string, time: string) => (await registry.call('GET', `/v1/models/parcel-delay/aliases/${alias}?at=${time}`)).body['version'];
    expect(await at('champion', '2026-01-06T23:59:59Z')).toBe('1');
    expect(await at('champion', '2026-01-07T00:00:00Z')).toBe('2');
    expect(await at('challenger', '2026-01-06T00:00:00Z')).toBe('2');
    expect(await at('challenger', '2026-02-01T00:00:00Z')).toBeNull();
    expect(await registry.call('GET', '/v1/models/parcel-delay/aliases/champion?at=2026-01-02T00:00:00Z')).toMatchObject({ status: 404, body: { code: 'ALIAS_UNKNOWN' } });
    expect(await registry.call('GET', '/v1/models/parcel-delay/aliases/champion')).toMatchObject({ body: { version: '2', history: [{ version: '1' }, { version: '2' }] } });
  });

  it('never hands out an artifact with a flipped byte, and marks its versions', async () => {
    await applyBoth();
    expect(await registry.call('PUT', `/v1/artifacts/${artifact.sha256}`, bytes)).toMatchObject({ status: 200, body: artifact });
    expect((await registry.call('GET', `/v1/artifacts/${artifact.sha256}`)).body['bytes']).toEqual(bytes);
    const request = { artifactSha256: artifact.sha256, signature, reason: 'a trial', by: 'eve' };
    expect(await registry.call('POST', '/v1/models/parcel-delay/versions', request)).toMatchObject({ status: 201, body: { version: '1', source: 'manual', gate: { outcome: 'inconclusive' } } });
    await flipAByte();
    expect(await registry.call('GET', `/v1/artifacts/${artifact.sha256}`)).toMatchObject({ status: 500, body: { code: 'ARTIFACT_CORRUPT' } });
    expect(await registry.call('POST', '/v1/models/parcel-delay/versions', request)).toMatchObject({ status: 500, body: { code: 'ARTIFACT_CORRUPT' } });
    expect(await registry.call('GET', '/v1/models/parcel-delay/versions/1')).toMatchObject({ body: { state: 'corrupt' } });
  });

  it('keeps a run whose artifact is damaged out of the ring', async () => {
    await applyBoth();
    await registry.call('PUT', `/v1/artifacts/${artifact.sha256}`, bytes);
    await flipAByte();
    await registry.send(runCompleted, completedRun('a', artifact), 'parcel-delay');
    const version = await eventually('the version is known', async () => {
      const { status, body } = await registry.call('GET', '/v1/models/parcel-delay/versions/1');
      return status === 200 ? body : undefined;
    });
    expect(version).toMatchObject({ state: 'corrupt' });
    expect(await registry.published(versionRegistered)).toEqual([]);
  });

  it('says what it does not know', async () => {
    await applyBoth();
    const expectations: [string, string, number, string][] = [
      ['GET', '/v1/contracts/letters', 404, 'CONTRACT_UNKNOWN'], ['GET', '/v1/models/nobody', 404, 'MODEL_UNKNOWN'], ['GET', '/v1/models/nobody/versions', 404, 'MODEL_UNKNOWN'],
      ['GET', '/v1/models/parcel-delay/versions/7', 404, 'VERSION_UNKNOWN'], ['GET', '/v1/models/parcel-delay/versions/7/card', 404, 'VERSION_UNKNOWN'],
      ['GET', '/v1/models/parcel-delay/aliases/champion', 404, 'ALIAS_UNKNOWN'], ['GET', '/v1/models/parcel-delay/aliases/champion?at=yesterday', 400, 'REQUEST_INVALID'],
      ['GET', `/v1/artifacts/${'0'.repeat(64)}`, 404, 'ARTIFACT_MISSING'], ['GET', '/v1/artifacts/short', 400, 'REQUEST_INVALID'],
    ];
    for (const [method, url, status, code] of expectations) expect([url, await registry.call(method as 'GET', url)]).toMatchObject([url, { status, body: { code } }]);
    expect(await registry.call('PUT', `/v1/artifacts/${'0'.repeat(64)}`, bytes)).toMatchObject({ status: 400, body: { code: 'REQUEST_INVALID' } });
    const absent = { artifactSha256: '0'.repeat(64), signature, reason: 'a trial', by: 'eve' };
    expect(await registry.call('POST', '/v1/models/parcel-delay/versions', absent)).toMatchObject({ status: 404, body: { code: 'ARTIFACT_MISSING' } });
    const misfit = { ...absent, signature: { ...signature, inputs: signature.inputs.slice(1) } };
    expect(await registry.call('POST', '/v1/models/parcel-delay/versions', misfit)).toMatchObject({ status: 400, body: { code: 'REQUEST_INVALID' } });
  });
});
