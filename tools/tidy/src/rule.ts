import type { Repository } from './repository.js';

/** One place where a habit is broken. Lines count from 1. */
export interface Breach {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

/** One habit of the house. A rule reads the repository and nothing else, so that specs hand it files in memory. */
export interface Rule {
  readonly name: string;
  /** The habit as a sentence; `--help` lists them. */
  readonly habit: string;
  judge(repository: Repository): Breach[];
}
