import { features, type LabelledStream } from './stream.js';

/** Segments of the digits 0–9. */
const digits = ['1110111', '0010010', '1011101', '1011011', '0111010', '1101011', '1101111', '1010010', '1111111', '1111011'];
const lit = digits.map((segments) => [...segments].map(Number));

/** Relevant columns that change places with irrelevant ones. */
const moved = 3;

/**
 * LED (L. Breiman, J. Friedman, R. Olshen and C. Stone, “Classification and Regression Trees”, 1984, §2.6.1): seven segments of a
 * digit, each inverted with probability 0.1, and 17 random bits; the best rule is right on 74 %. River compares 0.01 + u with
 * the probability, and so inverts 0.09. After the change, three segments have changed places with random bits.
 */
export const led: LabelledStream = {
  name: 'led', about: 'LED, three segments and random bits change places', classes: 10,
  features: features(Array.from({ length: 24 }, (_, index) => `bit ${index + 1}`), 0, 2, 2),
  draw(concept, chance, row) {
    const digit = chance.integer(10);
    for (let index = 0; index < 24; index++) row[index] = index < 7 ? (lit[digit]?.[index] ?? 0) ^ chance.bernoulli(0.1) : chance.bernoulli(0.5);
    if (concept === 'new') {
      for (let index = 0; index < moved; index++) [row[index], row[index + 7]] = [row[index + 7] ?? 0, row[index] ?? 0];
    }
    return digit;
  },
};
