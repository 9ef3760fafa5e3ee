import type { SpecChanged, VerdictIssued } from '@millrace/contracts';
import { windowStart } from '@millrace/core/drift';
import { monitoredModel, verdictIdOf } from '@millrace/core/verdicts';
import { find } from '../services.js';

export interface JudgedWith {
  readonly verdicts: readonly { readonly verdictId: string; readonly kind: string; readonly outcome: string }[];
  readonly rollouts: readonly { readonly rolloutId: string; readonly phase: string }[];
}

interface Judged {
  readonly model: string;
  readonly version: string;
  readonly role: string;
  readonly eventTime: string;
  readonly label: { readonly eventTime: string } | null;
}

/** The verdicts on the windows that hold a prediction and its label, and the roll-outs by which its version came. Windows that are still open have none. */
export async function judgedWith({ model, version, role, eventTime, label }: Judged): Promise<JudgedWith> {
  const spec = await find<SpecChanged>('model-registry', `/v1/models/${encodeURIComponent(model)}`);
  const list = await find<{ rollouts: { rolloutId: string; phase: string; candidateVersion: string }[] }>('rollout-controller', `/v1/models/${encodeURIComponent(model)}/rollouts?limit=1000`);
  const rollouts = (list?.rollouts ?? []).filter(({ candidateVersion }) => candidateVersion === version).map(({ rolloutId, phase }) => ({ rolloutId, phase }));
  if (spec === null) return { verdicts: [], rollouts };
  const { windowMs } = monitoredModel(spec);
  const times: { kind: VerdictIssued['kind']; at: string }[] = [{ kind: 'drift', at: eventTime }];
  if (label !== null) times.push({ kind: 'performance', at: label.eventTime });
  const verdicts: { verdictId: string; kind: string; outcome: string }[] = [];
  for (const { kind, at } of times) {
    const windowStartMs = windowStart(Date.parse(at), windowMs);
    const verdictId = verdictIdOf(kind, { model, version, role: role === 'shadow' ? 'shadow' : 'primary', windowStartMs, windowEndMs: windowStartMs + windowMs });
    const found = await find<{ revisions: VerdictIssued[] }>('drift-monitoring', `/v1/verdicts/${encodeURIComponent(verdictId)}`);
    const last = found?.revisions.at(-1);
    if (last !== undefined) verdicts.push({ verdictId, kind, outcome: last.outcome });
  }
  return { verdicts, rollouts };
}
