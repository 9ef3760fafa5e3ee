import type { ProjectGraph } from '../project-graph.js';
import { declaredPackages } from '../rules/declared-packages.js';
import { frontDoor } from '../rules/front-door.js';
import { layerTag } from '../rules/layer-tag.js';
import { packageHome } from '../rules/package-home.js';
import { projectBorders } from '../rules/project-borders.js';
import { manifest, root, type BrokenCase, type Trial } from '../trial.fixture.js';

/** name: [root, layer], in the shape that nx writes. */
const projects: Readonly<Record<string, readonly [folder: string, layer: string]>> = {
  contracts: ['libs/contracts', 'layer:contracts'], core: ['libs/core', 'layer:core'], messaging: ['libs/platform/messaging', 'layer:platform'], persistence: ['libs/platform/persistence', 'layer:platform'],
  testing: ['libs/testing', 'layer:testing'], ingestion: ['apps/ingestion', 'layer:app'], gateway: ['apps/gateway', 'layer:app'], stack: ['tools/stack', 'layer:tool'], flights: ['examples/flights', 'layer:example'],
};

function graphOf(...edges: readonly string[]): ProjectGraph {
  const nodes = Object.fromEntries(Object.entries(projects).map(([name, [folder, layer]]) => [name, { data: { root: folder, tags: ['npm:private', layer] } }]));
  const dependencies: Record<string, { source: string; target: string }[]> = {};
  for (const edge of edges) {
    const [source = '', target = ''] = edge.split(' → ');
    (dependencies[source] ??= []).push({ source, target });
  }
  return { nodes, dependencies };
}

const forbidden = ['ingestion → gateway', 'ingestion → stack', 'core → messaging', 'core → ingestion', 'messaging → core', 'messaging → gateway', 'contracts → core', 'contracts → messaging', 'flights → ingestion', 'stack → gateway', 'testing → ingestion'];

const brokenEdges: readonly BrokenCase[] = forbidden.map((edge) => {
  const folder = projects[edge.slice(0, edge.indexOf(' '))]?.[0];
  return { about: edge, files: {}, graph: graphOf(edge), finds: [[`${folder}/package.json:1`, 'must not depend on']] };
});

export const borderTrials: readonly Trial[] = [
  {
    rule: projectBorders,
    broken: [
      ...brokenEdges,
      { about: 'platform projects in a circle', files: {}, graph: graphOf('messaging → persistence', 'persistence → messaging'), finds: [['libs/platform/messaging/package.json:1', 'messaging → persistence → messaging']] },
      { about: 'a graph without projects', files: {}, finds: [['nx.json:1', 'no project']] },
    ],
    clean: [
      {
        about: 'every edge that the floor plan allows',
        files: {},
        graph: graphOf('ingestion → core', 'ingestion → messaging', 'ingestion → contracts', 'ingestion → testing', 'core → contracts', 'messaging → persistence', 'messaging → contracts', 'flights → stack', 'flights → messaging', 'stack → messaging', 'ingestion → npm:rxjs'),
      },
    ],
  },
  {
    rule: layerTag,
    broken: [
      {
        about: 'no tag, an unknown one, two, one of another folder',
        files: { ...root, 'apps/a/package.json': manifest('a', undefined), 'apps/b/package.json': manifest('b', 'layer:service'), 'apps/c/package.json': manifest('c', 'layer:core'), 'libs/core/package.json': JSON.stringify({ name: 'd', nx: { tags: ['layer:core', 'layer:app'] } }) },
        finds: [['apps/a/package.json:1', 'no layer'], ['apps/b/package.json:1', 'layer:service is no layer'], ['apps/c/package.json:1', 'does not belong'], ['libs/core/package.json:1', '2 layers']],
      },
    ],
    clean: [{ about: 'the tag of the folder; manifests that are no workspace', files: { ...root, 'apps/a/package.json': manifest('a', 'layer:app'), 'libs/platform/storage/package.json': manifest('s', 'layer:platform'), 'deploy/package.json': '{}' } }],
  },
  {
    rule: packageHome,
    broken: [
      {
        about: 'a service that knows the broker’s client or the model runtime',
        files: { 'apps/x/src/a.ts': ["import { Kafka } from 'kafkajs';", "import * as ort from 'onnxruntime-node';"], 'libs/platform/service/src/b.ts': "type K = import('kafkajs').Kafka;" },
        finds: [['apps/x/src/a.ts:1', 'kafkajs'], ['apps/x/src/a.ts:2', 'onnxruntime-node'], ['libs/platform/service/src/b.ts:1', 'kafkajs']],
      },
    ],
    clean: [{ about: 'each at home', files: { 'libs/platform/messaging/src/kafka.ts': "import { Kafka } from 'kafkajs';", 'libs/platform/model-runtime/src/a.ts': "import * as ort from 'onnxruntime-node';" } }],
  },
  {
    rule: frontDoor,
    broken: [
      {
        about: 'through the window, and past the exports',
        files: { ...root, 'libs/core/package.json': manifest('@millrace/core', 'layer:core', { './drift': './src/drift/index.ts' }), 'apps/x/package.json': manifest('@millrace/x', 'layer:app'), 'apps/x/src/a.ts': ["import '../../../libs/core/src/drift/ks.js';", "import '@millrace/core/src/drift/ks.js';"] },
        finds: [['apps/x/src/a.ts:1', 'libs/core'], ['apps/x/src/a.ts:2', 'does not export']],
      },
    ],
    clean: [
      {
        about: 'exported sub-paths, own files, folders that are no project',
        files: { ...root, 'libs/core/package.json': manifest('@millrace/core', 'layer:core', { './drift': './src/drift/index.ts' }), 'tools/stack/package.json': manifest('@millrace/stack', 'layer:tool'), 'tools/stack/src/a.ts': ["import '@millrace/core/drift';", "import './b.js';", "import '../../bootstrap/lock.mjs';"] },
      },
    ],
  },
  {
    rule: declaredPackages,
    broken: [
      {
        about: 'a package that only hoisting finds, one declared for development, a project that is not used',
        files: { ...root, 'apps/x/package.json': manifest('@millrace/x', 'layer:app', {}, { dependencies: { '@millrace/core': '0.1.0' }, devDependencies: { 'fast-check': '4' } }), 'apps/x/src/a.ts': ["import pg from 'pg';", "import fc from 'fast-check';", "import { readFileSync } from 'node:fs';"] },
        finds: [['apps/x/package.json:1', '@millrace/core'], ['apps/x/src/a.ts:1', 'pg'], ['apps/x/src/a.ts:2', 'fast-check']],
      },
    ],
    clean: [
      {
        about: 'declared packages, specs with those of the root, types of built-in modules, itself',
        files: {
          'package.json': JSON.stringify({ workspaces: ['apps/*'], devDependencies: { '@jest/globals': '30' } }),
          'apps/x/package.json': manifest('@millrace/x', 'layer:app', {}, { dependencies: { '@millrace/core': '0.1.0', pg: '8' }, devDependencies: { '@millrace/testing': '0.1.0' } }),
          'apps/x/src/a.ts': ["import pg from 'pg/lib/x.js';", "import '@millrace/core/drift';", "import '@millrace/x/inner';"],
          'apps/x/src/a.spec.ts': ["import { it } from '@jest/globals';", "import '@millrace/testing';", "import '@millrace/y';"],
          'apps/y/package.json': manifest('@millrace/y', 'layer:app'),
          'tools/bootstrap/a.mjs': "import '@millrace/stack';",
        },
      },
    ],
  },
];
