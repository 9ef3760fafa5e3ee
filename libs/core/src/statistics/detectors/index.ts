export { observeAdwin, startAdwin, type AdwinSettings, type AdwinState } from './adwin.js';
export type { DriftAlarm } from './alarm.js';
export { observeDdm, startDdm, type DdmSettings, type DdmState } from './ddm.js';
export { evidenceOf, observeEDetector, startEDetector, type EDetectorSettings, type EDetectorState } from './e-detector.js';
export { observeEddm, startEddm, type EddmSettings, type EddmState } from './eddm.js';
export { detectorTraits, observeError, startDetector, type DetectorName, type DetectorSettings, type DetectorState, type DetectorTraits } from './error-watch.js';
export { observeHddmA, startHddmA, type HddmASettings, type HddmAState } from './hddm-a.js';
export { observeHddmW, startHddmW, type HddmWSettings, type HddmWState } from './hddm-w.js';
export { observePageHinkley, startPageHinkley, type PageHinkleySettings, type PageHinkleyState } from './page-hinkley.js';
