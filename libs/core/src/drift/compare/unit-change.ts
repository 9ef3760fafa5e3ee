import { ksDistance, sampleOf, type NumberSample } from '../../statistics/index.js';

interface Conversion {
  readonly name: string;
  readonly apply: (value: number) => number;
}

const factors: readonly (readonly [string, number])[] = [
  ['powers of ten', 10], ['per cent', 100], ['thousand', 1_000], ['ten thousand', 10_000], ['million', 1e6], ['billion', 1e9],
  ['minutes and seconds', 60], ['hours and seconds', 3_600], ['days and hours', 24], ['days and seconds', 86_400],
  ['inches and centimetres', 2.54], ['inches and millimetres', 25.4], ['feet and metres', 3.280_839_895], ['miles and kilometres', 1.609_344], ['pounds and kilograms', 2.204_622_622],
];

const conversions: readonly Conversion[] = [
  ...factors.flatMap(([name, factor]): Conversion[] => [
    { name: `× ${factor} (${name})`, apply: (value) => value / factor },
    { name: `÷ ${factor} (${name})`, apply: (value) => value * factor },
  ]),
  { name: '× −1 (sign)', apply: (value) => -value },
  { name: 'from Celsius to Fahrenheit', apply: (value) => ((value - 32) * 5) / 9 },
  { name: 'from Fahrenheit to Celsius', apply: (value) => value * 1.8 + 32 },
  { name: 'from Celsius to kelvin', apply: (value) => value - 273.15 },
  { name: 'from kelvin to Celsius', apply: (value) => value + 273.15 },
];

/** A conversion explains a drift that it reduces to less than this part. */
const explainedMax = 0.25;
/** Smaller drifts are not those of a unit. */
const distanceMin = 0.3;

/** Quantiles in place of a large sample: an explanation need not be exact. */
const pointsMax = 500;

function thinned(sample: NumberSample): NumberSample {
  if (sample.values.length <= pointsMax) return sample;
  const values = new Float64Array(pointsMax);
  let [index, below] = [0, sample.counts[0] ?? 0];
  for (let point = 0; point < pointsMax; point += 1) {
    const rank = ((point + 0.5) / pointsMax) * sample.n;
    while (below < rank && index < sample.values.length - 1) {
      index += 1;
      below += sample.counts[index] ?? 0;
    }
    values[point] = sample.values[index] ?? NaN;
  }
  return sampleOf(values);
}

function converted(sample: NumberSample, apply: (value: number) => number): NumberSample {
  const values = sample.values.map(apply);
  const falling = values.length > 1 && (values[0] ?? 0) > (values[values.length - 1] ?? 0);
  return falling ? { values: values.reverse(), counts: sample.counts.slice().reverse(), n: sample.n } : { ...sample, values };
}

/**
 * The change of unit that turns the current sample back into something like the reference, in words; null when none does.
 * Only an explanation: it is looked for after the distribution has been found to drift, and costs no false alarms.
 */
export function unitChange(reference: NumberSample, current: NumberSample): string | null {
  if (reference.values.length < 2) return null;
  const [before, now] = [thinned(reference), thinned(current)];
  const distance = ksDistance(before, now);
  if (distance < distanceMin) return null;
  let best: { name: string; left: number } | null = null;
  for (const { name, apply } of conversions) {
    const left = ksDistance(before, converted(now, apply));
    if (best === null || left < best.left) best = { name, left };
  }
  return best !== null && best.left <= explainedMax * distance ? best.name : null;
}
