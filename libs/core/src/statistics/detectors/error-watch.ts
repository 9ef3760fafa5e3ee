import { observeAdwin, startAdwin, type AdwinSettings, type AdwinState } from './adwin.js';
import type { DriftAlarm } from './alarm.js';
import { observeDdm, startDdm, type DdmSettings, type DdmState } from './ddm.js';
import { observeEDetector, startEDetector, type EDetectorSettings, type EDetectorState } from './e-detector.js';
import { observeEddm, startEddm, type EddmSettings, type EddmState } from './eddm.js';
import { observeHddmA, startHddmA, type HddmASettings, type HddmAState } from './hddm-a.js';
import { observeHddmW, startHddmW, type HddmWSettings, type HddmWState } from './hddm-w.js';
import { observePageHinkley, startPageHinkley, type PageHinkleySettings, type PageHinkleyState } from './page-hinkley.js';

export type DetectorSettings =
  | ({ readonly detector: 'e-detector' } & EDetectorSettings)
  | ({ readonly detector: 'adwin' } & AdwinSettings)
  | ({ readonly detector: 'page-hinkley' } & PageHinkleySettings)
  | ({ readonly detector: 'ddm' } & DdmSettings)
  | ({ readonly detector: 'eddm' } & EddmSettings)
  | ({ readonly detector: 'hddm-a' } & HddmASettings)
  | ({ readonly detector: 'hddm-w' } & HddmWSettings);

/** Plain JSON; told apart by `detector`, with the version of its form in `v`. */
export type DetectorState = EDetectorState | AdwinState | PageHinkleyState | DdmState | EddmState | HddmAState | HddmWState;

export type DetectorName = DetectorState['detector'];

export interface DetectorTraits {
  readonly about: string;
  /** Errors that are 0 or 1 only, or anything in [0, 1]. */
  readonly takes: 'bits' | 'fractions';
  /** Whether a mean time between false alarms can be asked for. */
  readonly budgeted: boolean;
}

export const detectorTraits: Readonly<Record<DetectorName, DetectorTraits>> = {
  'e-detector': { about: 'mixture Shiryaev–Roberts e-detector; keeps the mean time between false alarms that it is given', takes: 'fractions', budgeted: true },
  adwin: { about: 'adaptive window of Bifet and Gavaldà, δ 0.002', takes: 'fractions', budgeted: false },
  'page-hinkley': { about: 'Page–Hinkley test, λ 50, δ 0.005', takes: 'fractions', budgeted: false },
  ddm: { about: 'drift detection method of Gama and others, 3 deviations', takes: 'bits', budgeted: false },
  eddm: { about: 'early drift detection method of Baena-García and others, β 0.9', takes: 'bits', budgeted: false },
  'hddm-a': { about: 'Hoeffding test of averages of Frías-Blanco and others, α 0.001', takes: 'fractions', budgeted: false },
  'hddm-w': { about: 'McDiarmid test of weighted averages of Frías-Blanco and others, α 0.001', takes: 'fractions', budgeted: false },
};

/** @throws RangeError for settings out of their range. */
export function startDetector(settings: DetectorSettings): DetectorState {
  switch (settings.detector) {
    case 'e-detector': return startEDetector(settings);
    case 'adwin': return startAdwin(settings);
    case 'page-hinkley': return startPageHinkley(settings);
    case 'ddm': return startDdm(settings);
    case 'eddm': return startEddm(settings);
    case 'hddm-a': return startHddmA(settings);
    case 'hddm-w': return startHddmW(settings);
  }
}

/** Takes in one error, in place. After an alarm the detector goes on from what it now sees. @throws RangeError for an error that the detector does not take. */
export function observeError(state: DetectorState, x: number): DriftAlarm | null {
  if (!(x >= 0 && x <= 1)) throw new RangeError(`an error lies in [0, 1], and ${x} does not`);
  if (x !== 0 && x !== 1 && detectorTraits[state.detector].takes === 'bits') throw new RangeError(`${state.detector} takes errors that are 0 or 1, not ${x}`);
  switch (state.detector) {
    case 'e-detector': return observeEDetector(state, x);
    case 'adwin': return observeAdwin(state, x);
    case 'page-hinkley': return observePageHinkley(state, x);
    case 'ddm': return observeDdm(state, x);
    case 'eddm': return observeEddm(state, x);
    case 'hddm-a': return observeHddmA(state, x);
    case 'hddm-w': return observeHddmW(state, x);
  }
}
