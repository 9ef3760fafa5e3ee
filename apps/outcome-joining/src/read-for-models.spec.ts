// Goal: the numbers that a spec’s business guard names travel with the label; what is missing or no number does not.
// Method: one label, read by one model, changed in one member.
import { describe, expect, it } from '@jest/globals';
import type { JoinedModel } from './model-specs.js';
import { readForModels } from './read-for-models.js';

const model: JoinedModel = { model: 'm', stream: 's', task: 'binary', label: { field: 'late' }, maximumDelayMs: 1, groupFields: [], measureFields: ['revenue'] };
const read = (value: Record<string, unknown>, fields: readonly string[] = ['revenue']) =>
  readForModels({ stream: 's', recordId: 'r', value: { late: true, ...value }, eventTime: '2026-01-01T00:00:00Z', position: { topic: 't', partition: 0, offset: 0 } }, [{ ...model, measureFields: fields }]).read[0];

describe('a label', () => {
  it('brings the numbers that are asked for', () => {
    expect(read({ revenue: 12.5, other: 3 })).toMatchObject({ label: true, measures: { revenue: 12.5 } });
    expect(read({ revenue: 0 })?.measures).toEqual({ revenue: 0 });
  });

  it.each([{}, { revenue: null }, { revenue: '12' }, { revenue: Number.NaN }])('brings none where there is none: %j', (value) => expect(read(value)).not.toHaveProperty('measures'));

  it('brings none that nobody asked for', () => expect(read({ revenue: 1 }, [])).not.toHaveProperty('measures'));
});
