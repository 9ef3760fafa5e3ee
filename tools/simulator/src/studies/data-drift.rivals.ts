import type { RivalFigure } from '../study.js';

/** Measured by rivals/data_drift.py; see there for versions and seeds. */
export const dataDriftRivals: readonly RivalFigure[] = [];
