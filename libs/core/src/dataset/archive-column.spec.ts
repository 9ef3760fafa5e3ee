/**
 * Goal: no contract property meets a column or partition of the archive’s own, and no two meet each other.
 * Method: the names of the segment layout themselves; property: the mapping is one to one over names made to collide.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { archiveColumn } from './archive-column.js';

const own = ['offset', 'record_id', 'event_time', 'contract_version', 'stream', 'kind', 'date'];

describe('archiveColumn', () => {
  it('keeps ordinary names', () => expect(['distance', 'value', 'value_of_time', 'update', 'dates'].map(archiveColumn)).toEqual(['distance', 'value', 'value_of_time', 'update', 'dates']));
  it.each(own)('moves %s aside, whatever its case', (name) => expect([archiveColumn(name), archiveColumn(name.toUpperCase())]).toEqual([`value_${name}`, `value_${name.toUpperCase()}`]));
  it('is one to one and never meets a name of the archive', () => {
    const name = fc.tuple(fc.integer({ min: 0, max: 3 }), fc.constantFrom(...own, 'distance')).map(([times, base]) => 'value_'.repeat(times) + base);
    fc.assert(
      fc.property(name, name, (a, b) => {
        expect(archiveColumn(a) === archiveColumn(b)).toBe(a === b);
        expect(own).not.toContain(archiveColumn(a));
      }),
    );
  });
});
