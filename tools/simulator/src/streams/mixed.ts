import { features, type LabelledStream } from './stream.js';

/**
 * Mixed (J. Gama, P. Medas, G. Castillo and P. Rodrigues, SBIA 2004): v and w are fair coins, x and y uniform on [0, 1);
 * positive when at least two of v, w and y < ½ + 0.3 sin(3πx) hold; reversed after the change. River names the positive class 0.
 */
export const mixed: LabelledStream = {
  name: 'mixed', about: 'Mixed, classes reversed', classes: 2,
  features: [...features(['v', 'w'], 0, 2, 2), ...features(['x', 'y'], 0, 1, 20)],
  draw(concept, chance, row) {
    const [v, w, x, y] = [chance.bernoulli(0.5), chance.bernoulli(0.5), chance.uniform(), chance.uniform()];
    row.set([v, w, x, y]);
    const holding = v + w + Number(y < 0.5 + 0.3 * Math.sin(3 * Math.PI * x));
    return Number(holding >= 2 === (concept === 'old'));
  },
};
