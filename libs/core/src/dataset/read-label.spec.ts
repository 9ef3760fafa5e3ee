/**
 * Goal: a label is read as the spec says, and what cannot be read is refused, never taken for a negative.
 * Method: each task with values that fit and values that do not; the expected answers follow from the spec's wording.
 */
import { describe, expect, it } from '@jest/globals';
import { readLabel, type LabelReading } from './read-label.js';

const binary: LabelReading = { task: 'binary', label: { field: 'late' } };
const named: LabelReading = { task: 'binary', label: { field: 'late', positive: 'yes' } };
const multiclass: LabelReading = { task: 'multiclass', label: { field: 'kind', classes: ['1', 'a'] } };
const regression: LabelReading = { task: 'regression', label: { field: 'delay' } };

describe('readLabel', () => {
  it.each([
    [binary, { late: true }, true],
    [binary, { late: false }, false],
    [named, { late: 'yes' }, true],
    [named, { late: 'no' }, false],
    [multiclass, { kind: 'a' }, 'a'],
    [multiclass, { kind: 1 }, '1'],
    [regression, { delay: -2.5 }, -2.5],
  ])('%j reads %j as %j', (reading, value, expected) => expect(readLabel(reading, value)).toBe(expected));

  it.each([
    [binary, {}],
    [binary, { late: null }],
    [binary, { late: 'true' }],
    [named, { late: true }],
    [multiclass, { kind: 'b' }],
    [multiclass, { kind: null }],
    [regression, { delay: '3' }],
    [regression, { delay: Number.NaN }],
    [{ task: 'binary', label: { field: 'toString' } } as LabelReading, {}],
  ])('%j refuses %j', (reading, value) => expect(() => readLabel(reading, value)).toThrow(expect.objectContaining({ code: 'EVENT_INVALID' })));
});
