import type { Study } from './study.js';
import { attributionDriftStudy } from './studies/attribution-drift.study.js';
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
import { shadowNoiseStudy } from './studies/shadow-noise.study.js';
import { severalCandidatesStudy } from './studies/several-candidates.study.js';
import { segmentsStudy } from './studies/segments.study.js';
import { sampleRatioStudy } from './studies/sample-ratio.study.js';

/** Every study, in the order of the calibration page. */
export const studies: readonly Study[] = [dataDriftStudy, familyWiseDriftStudy, segmentsStudy, attributionDriftStudy, conceptDriftStudy, conceptStreamsStudy, performanceStudy, performanceWatchStudy, rolloutsStudy, rolloutStrategiesStudy, severalCandidatesStudy, guardsStudy, shadowNoiseStudy, sampleRatioStudy, counterfactualStudy, profilingStudy, contractInferenceStudy];
