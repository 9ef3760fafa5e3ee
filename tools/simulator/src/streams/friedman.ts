import { features, type LabelledStream } from './stream.js';

/**
 * Friedman (J. Friedman, “Multivariate adaptive regression splines”, Annals of Statistics 19, 1991): ten features uniform on [0, 1),
 * y = 10 sin(π x₀x₁) + 20 (x₂ − ½)² + 10 x₃ + 5 x₄ + N(0, 1). The change is the global recurring abrupt one, GRA (E. Ikonomovska,
 * J. Gama and S. Džeroski, “Learning model trees from evolving data streams”, DMKD 23, 2011): 10 sin(π x₃x₅) + 20 (x₁ − ½)² +
 * 10 x₀ + 5 x₂ + N(0, 1), with river’s x₅.
 */
export const friedman: LabelledStream = {
  name: 'friedman', about: 'Friedman, GRA', classes: null,
  features: features(Array.from({ length: 10 }, (_, index) => `x${index}`), 0, 1, 10),
  draw(concept, chance, row) {
    for (let index = 0; index < 10; index++) row[index] = chance.uniform();
    const x = (index: number): number => row[index] ?? 0;
    const mean = concept === 'old'
      ? 10 * Math.sin(Math.PI * x(0) * x(1)) + 20 * (x(2) - 0.5) ** 2 + 10 * x(3) + 5 * x(4)
      : 10 * Math.sin(Math.PI * x(3) * x(5)) + 20 * (x(1) - 0.5) ** 2 + 10 * x(0) + 5 * x(2);
    return mean + chance.normal();
  },
};
