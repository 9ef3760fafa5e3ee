import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import { Type, type Static } from '@sinclair/typebox';
import { judgedIn } from '@millrace/core/verdicts';
import { schemaPipe } from '@millrace/service';
import { LabelHistoryStore, type LabelCohort } from './label-history.store.js';
import { MonitoredModels } from './monitored-models.js';
import { VerdictStore, type KeptVerdict } from './verdict.store.js';

const outcomes = ['passed', 'failed', 'inconclusive', 'errored'].map((outcome) => Type.Literal(outcome));
const VerdictQuery = Type.Object({
  version: Type.Optional(Type.String()),
  kind: Type.Optional(Type.Union([Type.Literal('drift'), Type.Literal('performance')])),
  outcome: Type.Optional(Type.Union(outcomes)),
  role: Type.Optional(Type.Union([Type.Literal('primary'), Type.Literal('shadow')])),
  limit: Type.String({ pattern: '^[1-9][0-9]{0,3}$', default: '100' }),
});
type VerdictQuery = Static<typeof VerdictQuery>;

@ApiTags('monitoring')
@Controller('v1/models')
export class VerdictsController {
  constructor(
    private readonly verdicts: VerdictStore,
    private readonly models: MonitoredModels,
    private readonly labels: LabelHistoryStore,
  ) {}

  @Get(':model/verdicts')
  @ApiOperation({ summary: 'The verdicts on a model’s versions, newest window first' })
  @ApiQuery({ name: 'version', required: false })
  @ApiQuery({ name: 'kind', required: false, enum: ['drift', 'performance'] })
  @ApiQuery({ name: 'outcome', required: false, enum: ['passed', 'failed', 'inconclusive', 'errored'] })
  @ApiQuery({ name: 'role', required: false, enum: ['primary', 'shadow'], description: 'shadow windows are judged too, but never published' })
  @ApiQuery({ name: 'limit', required: false, description: 'default 100' })
  async list(@Param('model') model: string, @Query(schemaPipe(VerdictQuery, 'the query')) { limit, ...filter }: VerdictQuery): Promise<object> {
    const verdicts = await this.verdicts.list(model, { role: 'primary', ...filter, limit: Number(limit) });
    if (verdicts.length === 0) this.models.require(model);
    return { model, verdicts };
  }

  @Get(':model/windows')
  @ApiOperation({ summary: 'Closed windows of a model’s versions: rows, metrics with intervals, and what drifted' })
  @ApiQuery({ name: 'version', required: false })
  @ApiQuery({ name: 'limit', required: false, description: 'default 100' })
  async windows(@Param('model') model: string, @Query(schemaPipe(VerdictQuery, 'the query')) { limit, version, role }: VerdictQuery): Promise<object> {
    // Up to three verdicts make a window: on its inputs, its attributions and its outcomes.
    const verdicts = await this.verdicts.list(model, { version, role, limit: Number(limit) * 3 });
    if (verdicts.length === 0) this.models.require(model);
    const windows = windowsOf(verdicts.filter(({ findings }) => !['e-detector', 'freshness'].includes(findings[0]?.detector ?? '')), await this.labels.cohorts(model, Math.min(...verdicts.map(({ window }) => Date.parse(window.from)))));
    return { model, windows: windows.slice(0, Number(limit)) };
  }
}

/** Of the predictions of a window, how many have met their label so far. */
function labelsOf(cohorts: readonly LabelCohort[], { version, role, window }: KeptVerdict): object | null {
  const cohort = cohorts.find((entry) => entry.version === version && entry.role === role && entry.windowStartMs === Date.parse(window.from));
  return cohort === undefined ? null : { predicted: cohort.predicted, labelled: cohort.labelled, without: Math.max(0, cohort.predicted - cohort.labelled) };
}

function windowsOf(verdicts: readonly KeptVerdict[], cohorts: readonly LabelCohort[]): object[] {
  const windows = new Map<string, Record<string, unknown>>();
  for (const verdict of verdicts) {
    const { version, role, window, kind, rows, outcome, findings, metrics, verdictId } = verdict;
    const key = JSON.stringify([version, role, window]);
    const entry = windows.get(key) ?? { version, role, window, labels: labelsOf(cohorts, verdict), drift: null, attribution: null, performance: null };
    // Newest first: an older revision does not hide a newer one.
    const judged = judgedIn(verdict);
    if (entry[judged] === null) entry[judged] = kind === 'drift' ? { verdictId, rows, outcome, features: findings.map(driftSummary) } : { verdictId, rows, outcome, metrics };
    windows.set(key, entry);
  }
  return [...windows.values()];
}

function driftSummary({ subject, detector, outcome, statistic, threshold, pAdjusted, reason }: KeptVerdict['findings'][number]): object {
  return { subject, detector, outcome, statistic, threshold, pAdjusted, reason };
}
