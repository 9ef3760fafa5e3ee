/** What one cell of a study measured, by name: rates in [0, 1], counts, or in the unit that the name ends with. */
export type Figures = Readonly<Record<string, number>>;

/** A promise that a figure has to keep. */
export interface Goal {
  readonly figure: string;
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** One setting of a study: independent of every other, and the same for the same seed. */
export interface Cell {
  /** Stable and unique within the study, such as `normal/1000/50`: results are kept under it. */
  readonly id: string;
  /** The setting in words, for the table. */
  readonly about: string;
  /** Trials of a full run; a quick run does a fraction. */
  readonly trials: number;
  readonly goals: readonly Goal[];
  /** Pure: the same trials and seed give the same figures. Computes for at most some minutes at full trials. */
  run(trials: number, seed: number): Figures;
}

/** A figure that another tool reached on the same question, with what reproduces it. */
export interface RivalFigure {
  readonly tool: string;
  readonly about: string;
  readonly figures: Figures;
  /** A script of this repository, or where it was published. */
  readonly source: string;
}

/** A simulation that holds verdicts to the errors they claim. One file each in `studies/`; listed in `studies.ts`. */
export interface Study {
  readonly name: string;
  readonly title: string;
  /** What is simulated and how, with the formulas’ sources: a paragraph of the calibration page. */
  readonly method: string;
  readonly cells: readonly Cell[];
  readonly rivals: readonly RivalFigure[];
}
