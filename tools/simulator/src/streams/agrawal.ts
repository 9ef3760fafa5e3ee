import type { Chance } from '../chance.js';
import type { LabelledStream } from './stream.js';

/**
 * Agrawal (R. Agrawal, T. Imielinski and A. Swami, “Database mining: a performance perspective”, IEEE TKDE 5, 1993): loan
 * applicants. Numbered from 0 as in river, the change is from function 0 (age below 40 or from 60 on) to function 2 (education
 * 0–1 below 40, 1–3 below 60, 2–4 above). Car is 1–20 as in the paper; river has 0–19. House value and loan are drawn though no function
 * here looks at them: a learner has to. River’s slip in function 4 (salary tested where loan belongs) does not matter here.
 */
export const agrawal: LabelledStream = {
  name: 'agrawal', about: 'Agrawal, function 0 → 2', classes: 2,
  features: [
    { name: 'salary', low: 20_000, high: 150_000, bins: 13 },
    { name: 'commission', low: 0, high: 85_000, bins: 17 },
    { name: 'age', low: 20, high: 80, bins: 12 },
    { name: 'education', low: 0, high: 5, bins: 5 },
    { name: 'car', low: 1, high: 21, bins: 20 },
    { name: 'zip', low: 0, high: 9, bins: 9 },
    { name: 'house value', low: 0, high: 1_350_000, bins: 27 },
    { name: 'house years', low: 1, high: 31, bins: 30 },
    { name: 'loan', low: 0, high: 500_000, bins: 20 },
  ],
  draw(concept, chance, row) {
    const age = 20 + chance.integer(61);
    const education = chance.integer(5);
    row.set(applicant(chance, age, education));
    if (concept === 'old') return Number(age < 40 || age >= 60);
    const [from, to] = age < 40 ? [0, 1] : age < 60 ? [1, 3] : [2, 4];
    return Number(education >= from && education <= to);
  },
};

function applicant(chance: Chance, age: number, education: number): number[] {
  const salary = 20_000 + 130_000 * chance.uniform();
  const commission = salary >= 75_000 ? 0 : 10_000 + 75_000 * chance.uniform();
  const zip = chance.integer(9);
  const houseValue = (9 - zip) * 100_000 * (0.5 + chance.uniform());
  return [salary, commission, age, education, 1 + chance.integer(20), zip, houseValue, 1 + chance.integer(30), 500_000 * chance.uniform()];
}
