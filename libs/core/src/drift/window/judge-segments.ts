import { outcomeOf, type DriftFinding } from '../finding.js';
import type { DriftPolicy } from './drift-policy.js';
import { segmentsOf, type InputParts, type SegmentState } from './input-parts.js';
import { judgeSubject, seasonedBy, subjectsOf, type Subject } from './judge-subject.js';
import type { ReferenceParts, SeasonedCounts } from './reference-parts.js';

/** What the segments of a window may spend of its level, all together: the whole keeps as much, and so nearly all of its power. */
export const segmentsShare = 0.5;

/** The attributes that the spec names and the reference knows. */
export const judgedAttributes = ({ segments = [] }: DriftPolicy, reference: ReferenceParts | null | undefined): ReferenceParts['attributes'] => (reference?.attributes ?? []).filter(({ attribute }) => segments.includes(attribute));

interface Segment {
  readonly name: string;
  readonly state: SegmentState;
  readonly reference: SeasonedCounts;
}

const none = { detector: 'none', statistic: null, threshold: null, pValue: null, pAdjusted: null } as const;

const toSpare = ({ lowerBound = 0, threshold }: DriftFinding): number => lowerBound - (threshold ?? 0);

/** The words of all that drifted, worst first; a segment’s finding is that of its worst feature. */
function findingOf({ name }: Segment, judged: readonly DriftFinding[], told: readonly string[]): DriftFinding {
  const outcome = outcomeOf(judged, 'inconclusive');
  const failed = judged.filter((finding) => finding.outcome === 'failed').sort((a, b) => toSpare(b) - toSpare(a));
  const elsewhere = told.length === 0 ? '' : `; ${told.join(', ')} drifted as a whole, which is told there`;
  const shown = failed[0] ?? judged.filter((finding) => finding.outcome === outcome).sort((a, b) => toSpare(b) - toSpare(a))[0];
  if (shown === undefined) return { ...none, subject: name, outcome, referenceRows: 0, currentRows: 0, reason: `nothing to compare${elsewhere}` };
  const others = failed.slice(1).map(({ subject, reasons = [] }) => `${subject} (${reasons.join(', ')})`);
  const reasons = failed.length === 0 ? shown.reasons : [...new Set(failed.flatMap((finding) => finding.reasons ?? []))];
  const newCategories = [...new Set(failed.flatMap((finding) => finding.newCategories ?? []))];
  const where = failed.length > 0 ? `where ${name}, ${shown.subject}: ` : outcome === 'passed' ? `no feature drifted where ${name}; most, ${shown.subject}: ` : `${shown.subject}: `;
  const { newCategories: _own, ...rest } = shown;
  return {
    ...rest, subject: name, outcome, ...(reasons === undefined ? {} : { reasons }), ...(newCategories.length === 0 ? {} : { newCategories }), ...(failed.length === 0 ? {} : { features: failed.map(({ subject }) => subject) }),
    reason: `${where}${shown.reason}${others.length === 0 ? '' : `; also drifted: ${others.join(', ')}`}${elsewhere}`,
  };
}

function judgeSegment(segment: Segment, subjects: readonly Subject[], policy: DriftPolicy, each: number, drifted: ReadonlySet<string>): DriftFinding {
  const own = subjects.filter(({ name }) => !drifted.has(name));
  return findingOf(segment, own.map((subject) => judgeSubject(subject, policy, { falseAlarms: each, roughBounds: true })), subjects.filter(({ name }) => drifted.has(name)).map(({ name }) => name));
}

/**
 * Judges each segment of a window as the whole is judged: against the training rows of the same segment, by the same instrument.
 * The level is shared equally by attributes, then by the segments of an attribute that have rows enough to be judged, then by their
 * subjects. Given the values of an attribute, the rows of its segments are exchangeable with those of training, and how many segments
 * are large enough follows from those values alone; so all bounds hold at once but for a chance of `level`. What has drifted as a whole is
 * left out: the whole tells it, and the root causes where it sits.
 * @param level for all segments together.
 */
export function judgeSegments(state: InputParts, reference: ReferenceParts, policy: DriftPolicy, level: number, drifted: ReadonlySet<string>): DriftFinding[] {
  const attributes = judgedAttributes(policy, reference);
  return attributes.flatMap((attribute) => {
    const segments = segmentsOf(attribute).flatMap((name): Segment[] => {
      const [own, known] = [state.segments.get(name), reference.segments.get(name)];
      return own === undefined || known === undefined ? [] : [{ name, state: own, reference: known }];
    });
    const judgeable = segments.filter((segment) => segment.state.rows >= policy.rowsMin).length;
    return segments.map((segment) => {
      const { rows } = segment.state;
      if (rows < policy.rowsMin) return { ...none, subject: segment.name, outcome: 'inconclusive', referenceRows: 0, currentRows: rows, reason: `not enough evidence: ${rows} rows are fewer than the ${policy.rowsMin} needed` };
      const subjects = subjectsOf(segment.state, segment.reference, seasonedBy(policy, reference, segment.reference.seasons));
      return judgeSegment(segment, subjects, policy, level / (attributes.length * judgeable * subjects.length), drifted);
    });
  });
}
