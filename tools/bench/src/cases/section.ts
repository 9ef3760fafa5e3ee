import type { Window } from '../load/drive.js';

/** A promise of the project and what was measured of it. */
export interface GoalResult {
  readonly goal: string;
  readonly sense: 'at most' | 'at least';
  readonly limit: number;
  readonly unit: string;
  /** Null: could not be measured in this run. */
  readonly value: number | null;
}

export const reached = ({ sense, limit, value }: GoalResult): boolean | null => (value === null ? null : sense === 'at most' ? value <= limit : value >= limit);

export type Cell = string | number | null;

/** One part of the benchmark, in a form that can be printed, kept, and compared with another run. */
export interface Section {
  readonly id: string;
  readonly title: string;
  /** What was done, with its settings: a paragraph. */
  readonly about: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
  /** Every figure that is worth comparing between runs, by a stable name. */
  readonly figures: Readonly<Record<string, number | null>>;
  readonly goals: readonly GoalResult[];
  /** The rounds behind the medians. */
  readonly windows: Readonly<Record<string, readonly Window[]>>;
}

export interface BenchSettings {
  readonly quick: boolean;
  readonly peers: boolean;
  readonly rounds: number;
  readonly warmUpMs: number;
  readonly windowMs: number;
  readonly connections: number;
  /** Only subjects whose id begins with one of these; empty: all. */
  readonly subjects: readonly string[];
}

export interface Bench {
  readonly settings: BenchSettings;
  say(line: string): void;
  /** Something that could not be measured here, and why. */
  skip(what: string, why: string): void;
}
