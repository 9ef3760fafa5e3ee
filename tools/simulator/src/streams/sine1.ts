import { features, type LabelledStream } from './stream.js';

/** Sine1 (J. Gama, P. Medas, G. Castillo and P. Rodrigues, SBIA 2004): x₀ and x₁ uniform on [0, 1), positive when x₀ < sin x₁; the classes are reversed after the change. No noise. */
export const sine1: LabelledStream = {
  name: 'sine1', about: 'Sine1, classes reversed', classes: 2,
  features: features(['x0', 'x1'], 0, 1, 20),
  draw(concept, chance, row) {
    row[0] = chance.uniform();
    row[1] = chance.uniform();
    return Number(row[0] < Math.sin(row[1]) === (concept === 'old'));
  },
};
