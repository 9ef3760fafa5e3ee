export * from './attribution-counts.js';
export { meanShare, rankingGain, shareInterval } from './attribution-profile.js';
export * from './judge-attributions.js';
