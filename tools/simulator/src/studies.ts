import type { Study } from './study.js';
import { performanceStudy } from './studies/performance.study.js';

/** Every study, in the order of the calibration page. */
export const studies: readonly Study[] = [performanceStudy];
