/**
 * Goal: an operator sees where a roll-out is, what it waits for, its plan and what was told, without a second command.
 * Method: a standing as the controller answers it; the text is looked at for what it must say, and for what it must leave out.
 */
import { describe, expect, it } from '@jest/globals';
import type { StepStanding } from '@millrace/core/rollout';
import { rolloutText } from './rollouts.js';

const step: StepStanding = {
  name: 'canary-1', type: 'canary', shares: [0.01, 0.01], stands: 'passed', rows: 612, rowsMin: 500, margin: 0.05, requires: 'not-worse', verdict: 'not-worse', low: -0.0312, high: 0.0291,
  durationMs: 14 * 86_400_000, exposureMaxMs: null, onTimeout: 'hold', alpha: 0.01,
};
const rollout = {
  rolloutId: 'late-flights.v2.1', candidateVersion: 'v2', championVersion: 'v1', status: 'active', phase: 'linear',
  standing: {
    steps: [step, { ...step, name: 'linear', shares: [0.1, 0.5] as const, stands: 'under way' as const, rows: 120, verdict: 'not-enough-evidence' as const }],
    shareNow: 0.2, exposureMs: 3.5 * 86_400_000, exposureMaxMs: 10 * 86_400_000, waitsFor: '380 more outcomes of the candidate',
  },
  steps: [
    { sequence: 0, from: 'registered', to: 'canary-1', verdict: 'gate', reason: 'its gate passed', streamTime: null },
    { sequence: 1, from: 'canary-1', to: 'canary-1', verdict: 'not-enough-evidence', reason: 'a look', streamTime: '2013-03-01T00:00:00.000Z' },
    { sequence: 2, from: 'linear (10 %)', to: 'linear (20 %)', verdict: 'worse', reason: 'late labels', streamTime: '2013-03-02T00:00:00.000Z', revises: 0 },
  ],
  guards: [{ guard: 'error-rate', evidence: 0.124, reason: 'the candidate failed 1 of 900 requests' }],
};

describe('millrace rollouts', () => {
  const text = rolloutText(rollout, false);
  it.each([
    'late-flights.v2.1: version v2 against version v1, linear, answers 20 % of the units',
    'waits for 380 more outcomes of the candidate',
    'exposure used: 3.5 days of the whole traffic of at most 10.0 days',
    'linear    10 % → 50 %  under way',
    'canary-1  1 %          passed',
    'guard error-rate: 12 % of what takes it back; the candidate failed 1 of 900 requests',
    'worse (revises #0)',
    'linear (10 %) → linear (20 %)',
    '(and 1 look that changed nothing: --looks)',
  ])('says “%s”', (part) => expect(text).toContain(part));
  it('says that others are tried beside it, and what is told only', () => {
    const beside = rolloutText({ ...rollout, standing: { ...rollout.standing, candidates: 3 }, guards: [{ guard: 'answer-difference', evidence: 0, limit: 1, reason: '3 of 400 shadow answers differ' }] }, false);
    expect(beside).toContain('answers 20 % of the units, one of at most 3 candidates at once');
    expect(beside).toContain('guard answer-difference: told only; 3 of 400 shadow answers differ');
  });
  it('shows looks when asked to', () => {
    expect(text).not.toContain('a look\n');
    expect(rolloutText(rollout, true)).toContain('a look');
    expect(rolloutText(rollout, true)).not.toContain('--looks');
  });
  it('says what there is of one that has not begun', () => {
    expect(rolloutText({ ...rollout, championVersion: null, phase: 'waiting', status: 'waiting', standing: null, steps: [], guards: [] }, false)).toBe('late-flights.v2.1: version v2, waiting');
  });
});
