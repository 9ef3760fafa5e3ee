import { chanceOf, type Chance } from '../chance.js';

export type CleanRecord = Record<string, unknown>;

/** An endless feed of clean records with one column of each shape that real tables have. The parameters come from the seed. */
export interface CleanFeed {
  next(): CleanRecord;
  /** Event time of the newest record, ms. */
  newest(): number;
}

const cities = ['Zürich', 'Berlin', 'Málaga', 'Łódź', 'Genève', 'Oslo', 'Köln', 'Praha', 'Århus', 'Porto', 'Győr', 'Bern'];
const words = ['delivered', 'late', 'café', 'parcel', 'señor', 'box', 'damaged', 'naïve', 'front', 'door', 'again', 'zurück', 'bitte', 'thanks', 'wrong', 'colour', 'très', 'bien', 'ok', 'the', 'a', 'to'];
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

function poisson(chance: Chance, mean: number): number {
  let count = 0;
  for (let product = chance.uniform(), limit = Math.exp(-mean); product > limit; product *= chance.uniform()) count += 1;
  return count;
}

const hex = (chance: Chance, digits: number): string => Array.from({ length: digits }, () => chance.integer(16).toString(16)).join('');

/** Shares that fall by powers, the rarest about 1 in 2,000. */
function zipf(chance: Chance, names: readonly string[], power: number): () => string {
  const weights = names.map((_, index) => (index + 1) ** -power);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return () => {
    let left = chance.uniform() * total;
    return names.find((_, index) => (left -= weights[index] ?? 0) < 0) ?? names[0] ?? '';
  };
}

function comment(chance: Chance): string {
  const count = 3 + chance.integer(30);
  return Array.from({ length: count }, () => words[chance.integer(words.length)]).join(' ');
}

const between = (chance: Chance, low: number, high: number): number => low + (high - low) * chance.uniform();

export function cleanFeed(seed: number): CleanFeed {
  const chance = chanceOf(seed, 1);
  const [spread, mean, deviation, tail, items, gapMs] = [between(chance, 0.5, 1.3), between(chance, -5, 60), between(chance, 1, 12), between(chance, 1.2, 3), between(chance, 0.5, 8), between(chance, 1_000, 8_000)];
  const city = zipf(chance, cities, 3);
  const status = zipf(chance, ['open', 'paid', 'sent', 'returned'], 1);
  let [row, clock] = [100_000, Date.UTC(2024, 0, 1)];
  return {
    newest: () => Math.floor(clock / 1_000) * 1_000,
    next() {
      row += 1;
      clock += gapMs * chance.exponential();
      return {
        order_id: `ord-${row}`,
        event_time: new Date(Math.floor(clock / 1_000) * 1_000).toISOString().replace('.000Z', 'Z'),
        amount: Math.exp(3 + spread * chance.normal()),
        temperature: mean + deviation * chance.normal(),
        claim: 100 * (1 - chance.uniform()) ** (-1 / tail),
        items: 1 + poisson(chance, items),
        discount: chance.uniform() < 0.7 ? 0 : 5 * chance.exponential(),
        rating: chance.uniform() < 0.05 ? null : 5 * chance.uniform(),
        city: city(),
        status: status(),
        sku: `${letters[chance.integer(26)] ?? ''}${letters[chance.integer(26)] ?? ''}-${String(chance.integer(10_000)).padStart(4, '0')}`,
        customer: `${hex(chance, 8)}-${hex(chance, 4)}-${hex(chance, 4)}`,
        comment: chance.uniform() < 0.2 ? null : comment(chance),
        vip: chance.uniform() < 0.1,
      };
    },
  };
}
