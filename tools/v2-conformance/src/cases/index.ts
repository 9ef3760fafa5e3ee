import type { Case } from '../case.js';
import { compressionCases } from './compression.js';
import { configCases } from './config.js';
import { datatypeCases } from './datatypes.js';
import { errorCases } from './errors.js';
import { headerCases } from './headers.js';
import { healthCases } from './health.js';
import { inferBinaryCases } from './infer-binary.js';
import { inferJsonCases } from './infer-json.js';
import { limitCases } from './limits.js';
import { metadataCases } from './metadata.js';
import { repositoryCases } from './repository.js';
import { statisticsCases } from './statistics.js';
import { versionCases } from './versions.js';

/** In the order they are run: one at a time, so that statistics can be counted. */
export const allCases: readonly Case[] = [
  ...healthCases, ...metadataCases, ...inferJsonCases, ...datatypeCases, ...inferBinaryCases, ...compressionCases, ...headerCases,
  ...errorCases, ...versionCases, ...statisticsCases, ...configCases, ...repositoryCases, ...limitCases,
];
