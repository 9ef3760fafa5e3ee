import type { Study } from './study.js';
import { conceptDriftStudy } from './studies/concept-drift.study.js';
import { conceptStreamsStudy } from './studies/concept-streams.study.js';
import { dataDriftStudy } from './studies/data-drift.study.js';
import { familyWiseDriftStudy } from './studies/family-wise-drift.study.js';
import { contractInferenceStudy } from './studies/contract-inference.study.js';
import { counterfactualStudy } from './studies/counterfactual.study.js';
import { guardsStudy } from './studies/guards.study.js';
import { performanceStudy } from './studies/performance.study.js';
import { performanceWatchStudy } from './studies/performance-watch.study.js';
import { profilingStudy } from './studies/profiling.study.js';
import { rolloutStrategiesStudy } from './studies/rollout-strategies.study.js';
import { rolloutsStudy } from './studies/rollouts.study.js';
import { sampleRatioStudy } from './studies/sample-ratio.study.js';

/** Every study, in the order of the calibration page. */
export const studies: readonly Study[] = [dataDriftStudy, familyWiseDriftStudy, conceptDriftStudy, conceptStreamsStudy, performanceStudy, performanceWatchStudy, rolloutsStudy, rolloutStrategiesStudy, guardsStudy, sampleRatioStudy, counterfactualStudy, profilingStudy, contractInferenceStudy];
