/** The layers of the house, where each lives, and what it may build on. `testing` is judged by who imports it. */
export const layers: Readonly<Record<string, { readonly place: RegExp; readonly mayUse: readonly string[] }>> = {
  'layer:contracts': { place: /^libs\/contracts$/, mayUse: [] },
  'layer:core': { place: /^libs\/core$/, mayUse: ['layer:contracts'] },
  'layer:platform': { place: /^libs\/platform\/[^/]+$/, mayUse: ['layer:contracts', 'layer:platform'] },
  'layer:testing': { place: /^libs\/testing$/, mayUse: ['layer:contracts', 'layer:core', 'layer:platform'] },
  'layer:app': { place: /^apps\/[^/]+$/, mayUse: ['layer:contracts', 'layer:core', 'layer:platform'] },
  'layer:tool': { place: /^tools\/[^/]+$/, mayUse: ['layer:contracts', 'layer:core', 'layer:platform', 'layer:tool'] },
  'layer:example': { place: /^examples\/[^/]+$/, mayUse: ['layer:contracts', 'layer:core', 'layer:platform', 'layer:tool', 'layer:example'] },
};

export const layersOf = (tags: readonly string[]): string[] => tags.filter((tag) => tag.startsWith('layer:'));
