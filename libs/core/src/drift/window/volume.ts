import { studentCritical } from '../../statistics/index.js';
import { count, percent } from '../compare/finding.js';
import type { DriftFinding } from '../finding.js';

/** Windows before this one that are needed to know how much their rows vary. */
const windowsMin = 5;
export const volumeWindowsMax = 12;
/** Two windows never have exactly the same rows: a spread below this is an accident. */
const deviationMin = 0.02;

/**
 * Did a window get as many rows as the ones before it? The logarithm of the rows of a window is taken for normal, and the next one
 * must lie in the prediction interval mean ± t·s·√(1 + 1/k) of the k before (G. J. Hahn, J. Qual. Technol. 2, 1970). Only falls and
 * rises by more than `minimum` beyond that interval matter.
 * @param before rows of earlier windows of the model, all versions together, without its first, which may be partial.
 */
export function judgeVolume(rows: number, before: readonly number[], level: number, minimum: number): DriftFinding {
  const base = { subject: 'volume', detector: 'volume', pValue: null, pAdjusted: null, referenceRows: before.reduce((sum, each) => sum + each, 0), currentRows: rows, threshold: minimum };
  const logs = before.map((each) => Math.log(Math.max(1, each)));
  const k = logs.length;
  if (k < windowsMin) return { ...base, outcome: 'passed', statistic: null, reason: `${count(rows)} rows; ${k} earlier windows are fewer than the ${windowsMin} that tell how many to expect` };
  const mean = logs.reduce((sum, each) => sum + each, 0) / k;
  const deviation = Math.max(deviationMin, Math.sqrt(logs.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (k - 1)));
  const reach = studentCritical(level, k - 1) * deviation * Math.sqrt(1 + 1 / k);
  const [expected, low, high] = [Math.exp(mean), Math.exp(mean - reach), Math.exp(mean + reach)];
  const fell = rows < expected;
  const effect = fell ? 1 - rows / expected : 1 - expected / Math.max(1, rows);
  const lowerBound = Math.max(0, fell ? 1 - rows / low : 1 - high / Math.max(1, rows));
  const drifted = lowerBound > minimum;
  const reason = `${count(rows)} rows where the ${k} windows before lead to expect ${count(Math.round(expected))} (${count(Math.round(low))} to ${count(Math.round(high))} by chance): ${percent(effect)} too ${fell ? 'few' : 'many'}, ${percent(lowerBound)} for certain, more than ${percent(minimum)} matters`;
  return { ...base, outcome: drifted ? 'failed' : 'passed', statistic: effect, lowerBound, reasons: drifted ? ['volume'] : [], reason };
}

/** A model that used to be asked has not been for longer than its policy allows, by the wall clock. */
export function silenceFinding(silentMs: number, allowedMs: number, lastEventTime: string): DriftFinding {
  const minutes = (ms: number): string => count(Math.round(ms / 60_000));
  return {
    subject: 'freshness', detector: 'freshness', outcome: 'failed', statistic: silentMs / 1_000, threshold: allowedMs / 1_000, pValue: null, pAdjusted: null, referenceRows: 0, currentRows: 0, reasons: ['freshness'],
    reason: `no prediction has come for ${minutes(silentMs)} minutes of wall clock, more than the ${minutes(allowedMs)} allowed; the last is of ${lastEventTime}`,
  };
}
