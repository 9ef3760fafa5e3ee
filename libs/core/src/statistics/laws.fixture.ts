import { seeded } from '@millrace/testing';
import type { DetectorKind, SketchAnswer, SketchInput, SketchInputs, SketchKind } from './kinds.js';

/** Each law throws at the first breach, with what broke it. */
export class LawBroken extends Error {}

const demand = (holds: boolean, story: () => string): void => {
  if (!holds) throw new LawBroken(story());
};

/** Few values, many values, and a heavy head with a long tail. Numbers are multiples of 1/8, exact also after scaling by powers of 2. */
const makers: { readonly [T in SketchInput]: readonly ((uniform: () => number) => SketchInputs[T])[] } = {
  number: [(u: () => number) => Math.floor(6 * u()), (u: () => number) => (u() + u() + u() - 1.5) * 1_000, (u: () => number) => u() ** -1.5].map((make) => (u) => Math.round(8 * make(u)) / 8),
  name: [(u) => `n${Math.floor(6 * u())}`, (u) => `n${Math.floor(1e9 * u())}`, (u) => `n${Math.floor(u() ** -1.5)}`],
  'name-pair': [(u) => [`r${Math.floor(3 * u())}`, `c${Math.floor(3 * u())}`], (u) => [`r${Math.floor(40 * u())}`, `c${Math.floor(40 * u())}`], (u) => [`r${Math.floor(u() ** -1)}`, 'c']],
};

export function samples<T extends SketchInput>(takes: T, size: number, seed: number): SketchInputs[T][][] {
  return makers[takes].map((make, index) => {
    const uniform = seeded(seed + index);
    return Array.from({ length: size }, () => make(uniform));
  });
}

const built = <S, T extends SketchInput>(kind: SketchKind<S, T>, values: readonly SketchInputs[T][], seed = 1): S => {
  const sketch = kind.empty(seed);
  for (const value of values) kind.observe(sketch, value);
  return sketch;
};

const probesOf = <V>(values: readonly V[]): V[] => values.filter((_, index) => index % 97 === 0);
const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
const same = (a: Uint8Array, b: Uint8Array): boolean => hex(a) === hex(b);

function agree(a: readonly SketchAnswer[], b: readonly SketchAnswer[], story: string): void {
  demand(a.length === b.length, () => `${story}: ${a.length} and ${b.length} answers`);
  a.forEach((answer, index) => {
    const other = b[index] ?? { about: '', value: null, error: 0 };
    const error = answer.error + other.error;
    if (error === Infinity) return;
    const [x, y] = [answer.value, other.value];
    const near = x === null || y === null ? x === y : Math.abs(x - y) <= error + 1e-12 * Math.max(Math.abs(x), Math.abs(y));
    demand(near, () => `${story}: ${answer.about} is ${x} and ${y}, more than ${error} apart`);
  });
}

function clean(answers: readonly SketchAnswer[], story: string): void {
  for (const { about, value, error } of answers) demand(!Number.isNaN(value) && !Number.isNaN(error), () => `${story}: ${about} is ${value} ± ${error}`);
}

/** Merging agrees with one pass and with itself, whatever the grouping and order; it leaves its inputs as they are. */
export function mergeLaw<S, T extends SketchInput>(kind: SketchKind<S, T>): void {
  for (const values of samples(kind.takes, 6_000, 11)) {
    const [a, b, c] = [built(kind, values.slice(0, 1_000), 1), built(kind, values.slice(1_000, 1_300), 2), built(kind, values.slice(1_300), 3)];
    const before = [a, b, c].map((sketch) => kind.serialise(sketch));
    const probes = probesOf(values);
    const whole = built(kind, values, 4);
    const merged = [kind.merge(kind.merge(a, b), c), kind.merge(a, kind.merge(b, c)), kind.merge(c, kind.merge(b, a))];
    for (const sketch of merged) {
      agree(kind.answers(sketch, probes), kind.answers(whole, probes), 'merged against one pass');
      if (kind.orderIndependent) demand(same(kind.serialise(sketch), kind.serialise(whole)), () => 'merged and one pass have other bytes');
    }
    demand([a, b, c].every((sketch, index) => same(kind.serialise(sketch), before[index] ?? new Uint8Array())), () => 'merging changed what it merged');
  }
}

/** Merging with nothing changes no answer. */
export function emptyLaw<S, T extends SketchInput>(kind: SketchKind<S, T>): void {
  const nothing = kind.empty(1);
  for (const values of samples(kind.takes, 3_000, 12)) {
    const probes = probesOf(values);
    const sketch = built(kind, values);
    clean(kind.answers(nothing, probes), 'nothing');
    clean(kind.answers(kind.merge(nothing, nothing), probes), 'nothing merged with nothing');
    for (const merged of [kind.merge(sketch, nothing), kind.merge(nothing, sketch)]) agree(kind.answers(merged, probes), kind.answers(sketch, probes), 'merged with nothing');
  }
  demand(same(kind.serialise(kind.parse(kind.serialise(nothing))), kind.serialise(nothing)), () => 'nothing does not survive its bytes');
}

/** parse∘serialise = identity, also for what is observed later. */
export function bytesLaw<S, T extends SketchInput>(kind: SketchKind<S, T>): void {
  for (const values of samples(kind.takes, 4_000, 13)) {
    for (const size of [1, 7, 150, 2_000]) {
      const sketch = built(kind, values.slice(0, size));
      const bytes = kind.serialise(sketch);
      const copy = kind.parse(bytes);
      demand(same(kind.serialise(copy), bytes), () => `${size} values: bytes differ after parsing`);
      for (const value of values.slice(size)) {
        kind.observe(sketch, value);
        kind.observe(copy, value);
      }
      demand(same(kind.serialise(copy), kind.serialise(sketch)), () => `${size} values: the copy went another way`);
    }
  }
}

export function seedLaw<S, T extends SketchInput>(kind: SketchKind<S, T>): void {
  for (const values of samples(kind.takes, 4_000, 14)) {
    const [first, second] = [built(kind, values, 5), built(kind, values, 5)];
    demand(same(kind.serialise(first), kind.serialise(second)), () => 'the same seed and values gave other bytes');
    demand(same(kind.serialise(kind.merge(first, second)), kind.serialise(kind.merge(second, first))) || !kind.orderIndependent, () => 'merging is not commutative');
  }
}

function shuffled<V>(values: readonly V[], uniform: () => number): V[] {
  const order = [...values];
  for (let at = order.length - 1; at > 0; at -= 1) {
    const other = Math.floor(uniform() * (at + 1));
    const [a, b] = [order[at], order[other]];
    if (a !== undefined && b !== undefined) [order[at], order[other]] = [b, a];
  }
  return order;
}

export function orderLaw<S, T extends SketchInput>(kind: SketchKind<S, T>): void {
  for (const values of samples(kind.takes, 4_000, 15)) {
    const probes = probesOf(values);
    const [straight, mixed] = [built(kind, values), built(kind, shuffled(values, seeded(16)))];
    if (kind.orderIndependent) demand(same(kind.serialise(straight), kind.serialise(mixed)), () => 'another order gave other bytes');
    else agree(kind.answers(straight, probes), kind.answers(mixed, probes), 'in another order');
  }
}

/** x → a·x + b moves each answer as it says. */
export function scaleLaw<S>(kind: SketchKind<S, 'number'>): void {
  for (const values of samples('number', 4_000, 17)) {
    const probes = probesOf(values);
    const still = kind.answers(built(kind, values), probes);
    for (const [a, b] of [[4, 0], [1, 1_024], [0.25, -512]] as const) {
      const move = (x: number): number => a * x + b;
      const moved = kind.answers(built(kind, values.map(move)), probes.map(move));
      const expected = still.map((answer, index): SketchAnswer => {
        const { moves, value } = answer;
        const error = (moves === 'not' ? 1 : moves === 'as-square' ? a * a : a) * answer.error + (moved[index]?.error ?? 0);
        if (moves === undefined || value === null) return { ...answer, error: moves === undefined ? Infinity : 0 };
        const to = moves === 'not' ? value : moves === 'as-place' ? move(value) : moves === 'as-length' ? a * value : a * a * value;
        // An answer without a bound in its own unit still moves exactly with the values it is made of.
        return { ...answer, value: to, error: error === Infinity ? 0 : error };
      });
      agree(expected, moved.map((answer, index) => ({ ...answer, error: expected[index]?.error === Infinity ? Infinity : 0 })), `x → ${a}x + ${b}`);
    }
  }
}

const extremes = [Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE, -Number.MIN_VALUE, 2.2e-308, 0, -0, 1e300, -1e154, 1.5e154, 1, 1e-300, Number.MAX_SAFE_INTEGER];

/** No NaN for any finite numbers. */
export function finiteLaw<S>(kind: SketchKind<S, 'number'>): void {
  for (const times of [1, 200]) {
    const values = Array.from({ length: times }, () => extremes).flat();
    const sketch = built(kind, values);
    for (const each of [sketch, kind.merge(sketch, built(kind, [...values].reverse(), 2)), kind.parse(kind.serialise(sketch))]) clean(kind.answers(each, extremes), 'numbers at the ends of the range');
    for (const x of extremes) clean(kind.answers(built(kind, [x, x === 0 ? 1 : -x]), extremes), `${x} and its opposite`);
  }
}

/** One value over and over, and a single one. */
export function constantLaw<S, T extends SketchInput>(kind: SketchKind<S, T>): void {
  for (const [value] of samples(kind.takes, 1, 18)) {
    if (value === undefined) continue;
    for (const size of [1, 2, 5_000]) {
      const sketch = built(kind, new Array<SketchInputs[T]>(size).fill(value));
      const answers = kind.answers(sketch, [value]);
      clean(answers, `${size} times the same`);
      const distinct = answers.find(({ about }) => about === 'distinct');
      if (distinct !== undefined && distinct.value !== null) demand(Math.abs(distinct.value - 1) <= 0.05, () => `one value counts as ${distinct.value}`);
    }
  }
}

/** Bytes cut short, made longer, or with one byte changed are refused with a RangeError. */
export function damageLaw<S, T extends SketchInput>(kind: SketchKind<S, T>): void {
  const refuse = (bytes: Uint8Array, story: () => string): void => {
    try {
      kind.parse(bytes);
    } catch (error) {
      demand(error instanceof RangeError, () => `${story()} gave ${String(error)}`);
      return;
    }
    throw new LawBroken(`${story()} was taken`);
  };
  for (const values of samples(kind.takes, 1_500, 19)) {
    const bytes = kind.serialise(built(kind, values));
    const step = Math.max(1, Math.floor(bytes.length / 200));
    for (let at = 0; at < bytes.length; at += step) {
      refuse(bytes.slice(0, at), () => `${at} of ${bytes.length} bytes`);
      const changed = bytes.slice();
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      refuse(changed, () => `a change of byte ${at}`);
    }
    refuse(Uint8Array.from([...bytes, 0]), () => 'one byte too many');
  }
}

const watched = <S>(kind: DetectorKind<S>, state: S, xs: readonly number[]) => xs.map((x) => kind.observe(state, x));
const bits = (uniform: () => number, p: number, size: number): number[] => Array.from({ length: size }, () => (uniform() < p ? 1 : 0));

/** The state is plain JSON, and a detector that is read back in the middle goes the same way; so does a repeat. */
export function detectorStateLaw<S>(kind: DetectorKind<S>): void {
  const uniform = seeded(21);
  const xs = [...bits(uniform, 0.1, 3_000), ...bits(uniform, 0.6, 1_500)];
  const [state, again] = [kind.start(), kind.start()];
  demand(JSON.stringify(watched(kind, state, xs)) === JSON.stringify(watched(kind, again, xs)), () => 'the same rows gave other alarms');
  demand(JSON.stringify(state) === JSON.stringify(again), () => 'the same rows gave another state');
  const first = kind.start();
  watched(kind, first, xs.slice(0, 2_000));
  const copy = JSON.parse(JSON.stringify(first)) as S;
  const rest = xs.slice(2_000);
  demand(JSON.stringify(watched(kind, first, rest)) === JSON.stringify(watched(kind, copy, rest)) && JSON.stringify(first) === JSON.stringify(copy), () => 'a state read back went another way');
}

function numbersIn(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbersIn) : [];
}

/** Constant and alternating rows leave no NaN and no infinity in state or alarms. */
export function detectorFiniteLaw<S>(kind: DetectorKind<S>): void {
  const streams = [[], [0], [1], new Array<number>(5_000).fill(0), new Array<number>(5_000).fill(1), Array.from({ length: 5_000 }, (_, row) => row % 2), [...new Array<number>(3_000).fill(0), ...new Array<number>(3_000).fill(1)]];
  if (kind.takes === 'fractions') streams.push(new Array<number>(3_000).fill(0.3), Array.from({ length: 3_000 }, (_, row) => (row % 3 === 0 ? Number.MIN_VALUE : -0)));
  for (const stream of streams) {
    const state = kind.start();
    stream.forEach((x, index) => {
      const alarm = kind.observe(state, x);
      if (alarm === null) return;
      demand(alarm.row === index + 1, () => `an alarm in row ${index + 1} says row ${alarm.row}`);
      demand(numbersIn(alarm).every(Number.isFinite), () => `an alarm is ${JSON.stringify(alarm)}`);
    });
    demand(numbersIn(state).every(Number.isFinite), () => `after ${stream.length} rows the state holds what is not finite`);
  }
}

/** A change that nobody can overlook is found. */
export function detectorSightLaw<S>(kind: DetectorKind<S>): void {
  const uniform = seeded(23);
  const state = kind.start();
  watched(kind, state, bits(uniform, 0.1, 2_000));
  demand(watched(kind, state, bits(uniform, 0.9, 2_000)).some((alarm) => alarm !== null), () => 'a rise of the error from 0.1 to 0.9 went unseen for 2,000 rows');
}
