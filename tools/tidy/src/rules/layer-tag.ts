import type { Rule } from '../rule.js';
import { layers, layersOf } from './layers.js';

/** A project without a layer matches no border and could import anything. */
export const layerTag: Rule = {
  name: 'layer-tag',
  habit: 'Every project carries the one layer:* tag of the folder it lives in (package.json, nx.tags).',
  judge: (repository) =>
    repository.workspaces.flatMap(({ folder, manifest }) => {
      const tags = layersOf(manifest.tags);
      const message = judgeTags(folder, tags);
      return message === undefined ? [] : [{ file: `${folder}/package.json`, line: 1, message }];
    }),
};

function judgeTags(folder: string, tags: readonly string[]): string | undefined {
  const [tag, ...others] = tags;
  if (tag === undefined) return 'the project has no layer:* tag, so that no border holds it';
  if (others.length > 0) return `the project has ${tags.length} layers: ${tags.join(', ')}`;
  const layer = layers[tag];
  if (layer === undefined) return `${tag} is no layer; there are ${Object.keys(layers).join(', ')}`;
  return layer.place.test(folder) ? undefined : `${tag} does not belong in ${folder}`;
}
