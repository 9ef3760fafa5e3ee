// Goal: time lands on the function and package that spent it; recursion is not counted twice; idling is not work.
// Method: a profile of six samples made by hand in V8's form, 10 ms each.
import { describe, expect, it } from '@jest/globals';
import { foldProfile, placeOf, shortPath, type CpuProfile } from './fold-profile.js';

const frame = (functionName: string, url = '') => ({ functionName, url, lineNumber: 9 });
const reply = 'file:///somewhere/node_modules/fastify/lib/reply.js';

const profile: CpuProfile = {
  nodes: [
    { id: 1, callFrame: frame('(root)'), children: [2, 6] },
    { id: 2, callFrame: frame('send', reply), children: [3, 5] },
    { id: 3, callFrame: frame('walk', reply), children: [4] },
    { id: 4, callFrame: frame('walk', reply) },
    { id: 5, callFrame: frame('write', 'node:net') },
    { id: 6, callFrame: frame('(idle)') },
  ],
  samples: [2, 3, 4, 4, 5, 6],
  timeDeltas: [10_000, 10_000, 10_000, 10_000, 10_000, 10_000],
};

describe('foldProfile', () => {
  const folded = foldProfile(profile);

  it('leaves idling out of the work', () => expect([folded.totalMs, folded.idleMs]).toEqual([50, 10]));

  it('counts a function that calls itself once', () => {
    expect(folded.functions.find(({ name }) => name.startsWith('walk'))).toEqual({ name: 'walk  fastify/lib/reply.js:10', selfMs: 30, totalMs: 30 });
    expect(folded.functions.find(({ name }) => name.startsWith('send'))).toMatchObject({ selfMs: 10, totalMs: 50 });
  });

  it('adds up by package', () => {
    expect(folded.places).toEqual([{ name: 'fastify', selfMs: 40, totalMs: 50 }, { name: 'node:net', selfMs: 10, totalMs: 10 }]);
  });
});

describe('places', () => {
  it.each([
    ['file:///x/apps/inference-gateway/dist/edge/answers.js', 'apps/inference-gateway/dist/edge/answers.js', 'apps/inference-gateway/edge'],
    ['file:///x/libs/platform/messaging/dist/relay.js', 'libs/platform/messaging/dist/relay.js', 'libs/platform/messaging'],
    ['file:///x/libs/core/dist/inference/codec.js', 'libs/core/dist/inference/codec.js', 'libs/core'],
    ['file:///x/node_modules/@sinclair/typebox/build/x.js', '@sinclair/typebox/build/x.js', '@sinclair/typebox'],
    ['node:internal/streams/writable', 'node:internal/streams/writable', 'node:internal/streams'],
    ['', '(native)', '(native)'],
  ])('%s', (url, path, place) => expect([shortPath(url), placeOf(url)]).toEqual([path, place]));
});
