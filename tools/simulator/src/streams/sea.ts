import { features, type LabelledStream } from './stream.js';

/**
 * SEA (W. N. Street and Y. Kim, “A streaming ensemble algorithm for large-scale classification”, KDD 2001): three features uniform
 * on [0, 10), the third irrelevant; positive when x₁ + x₂ ≤ θ; a tenth of the labels flipped. River has > for ≤, which swaps
 * the classes and nothing else. Of the paper’s four blocks (θ 8, 9, 7, 9.5) the first change is taken: θ 8 → 9 makes the old
 * rule wrong on 8.5 % of the rows, 6.8 points after the flips.
 */
export const sea: LabelledStream = {
  name: 'sea', about: 'SEA, θ 8 → 9, a tenth of the labels flipped', classes: 2,
  features: features(['x1', 'x2', 'x3'], 0, 10, 20),
  draw(concept, chance, row) {
    for (let index = 0; index < 3; index++) row[index] = 10 * chance.uniform();
    const positive = (row[0] ?? 0) + (row[1] ?? 0) <= (concept === 'old' ? 8 : 9);
    return Number(positive !== chance.uniform() < 0.1);
  },
};
