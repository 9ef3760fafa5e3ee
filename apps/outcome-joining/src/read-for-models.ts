import { MillraceError } from '@millrace/contracts';
import { readLabel } from '@millrace/core/dataset';
import type { JoinedModel } from './model-specs.js';
import type { LabelledRecord } from './observe-outcomes.js';
import type { LabelSeen } from './record.store.js';

/** A label as each model of its stream reads it; who cannot read it is answered with the reason. */
export function readForModels(label: LabelSeen, models: readonly JoinedModel[]): { read: LabelledRecord[]; unreadable: { model: string; error: MillraceError }[] } {
  const read: LabelledRecord[] = [];
  const unreadable: { model: string; error: MillraceError }[] = [];
  for (const reading of models) {
    const { model } = reading;
    try {
      read.push({ model, recordId: label.recordId, label: readLabel(reading, label.value), labelEventTime: label.eventTime, labelPosition: label.position, ...measuresOf(label, reading) });
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      unreadable.push({ model, error });
    }
  }
  return { read, unreadable };
}

/** Numbers only: what is missing, or no number, is left out, and its reader counts it as missing. */
function measuresOf({ value }: LabelSeen, { measureFields }: JoinedModel): Pick<LabelledRecord, 'measures'> {
  const measures = Object.fromEntries(measureFields.flatMap((field) => {
    const found = Object.hasOwn(value, field) ? value[field] : undefined;
    return typeof found === 'number' && Number.isFinite(found) ? [[field, found] as const] : [];
  }));
  return Object.keys(measures).length === 0 ? {} : { measures };
}
