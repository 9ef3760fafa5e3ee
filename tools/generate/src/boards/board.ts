import { DashboardBuilder, QueryVariableBuilder, RowBuilder, ThresholdsConfigBuilder, ThresholdsMode, VariableRefresh, VariableSort, type Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { BigValueTextMode, GraphThresholdsStyleConfigBuilder, GraphThresholdsStyleMode, VizLegendOptionsBuilder } from '@grafana/grafana-foundation-sdk/common';

/** The same in the provisioning file; boards that are copied elsewhere need a data source with this uid. */
export const datasourceUid = 'millrace-prometheus';
const datasource = { type: 'prometheus', uid: datasourceUid };
const gridColumns = 24;

export interface Query {
  readonly expr: string;
  readonly legend: string;
}

export interface PanelPlan {
  readonly title: string;
  /** What it shows, and what to do when it is red. */
  readonly description: string;
  /** A Grafana unit id. */
  readonly unit: string;
  readonly queries: readonly Query[];
  /** Columns of 24. Default 8. */
  readonly width?: number;
  /** `stat`: the last value, large; `name`: the last value’s name, large. Default: a time series. */
  readonly shape?: 'stat' | 'name';
  /** From this value on (or, with `redBelow`, under it) the panel is red. */
  readonly redFrom?: number;
  readonly redBelow?: number;
  /** When an empty answer is normal: the words shown instead. Panels without it must always have an answer. */
  readonly whenEmpty?: string;
}

export interface BoardPlan {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** In order: a later query may use an earlier variable. */
  readonly variables: readonly { name: string; label: string; query: string }[];
  readonly rows: readonly { title: string; panels: readonly PanelPlan[] }[];
}

function thresholds({ redFrom, redBelow }: PanelPlan): ThresholdsConfigBuilder {
  const steps =
    redBelow !== undefined
      ? [{ value: null, color: 'red' }, { value: redBelow, color: 'green' }]
      : [{ value: null, color: 'green' }, ...(redFrom === undefined ? [] : [{ value: redFrom, color: 'red' }])];
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps);
}

function targets({ queries, shape }: PanelPlan): DataqueryBuilder[] {
  return queries.map(({ expr, legend }, index) => {
    const query = new DataqueryBuilder().datasource(datasource).expr(expr).legendFormat(legend).refId(String.fromCharCode(65 + index));
    return shape === undefined ? query.range() : query.instant();
  });
}

function panelOf(plan: PanelPlan, id: number, gridPos: { x: number; y: number; w: number; h: number }): StatBuilder | TimeseriesBuilder {
  const isMarked = plan.redFrom !== undefined || plan.redBelow !== undefined;
  const builder =
    plan.shape === undefined
      ? new TimeseriesBuilder()
          .legend(new VizLegendOptionsBuilder().showLegend(true))
          .spanNulls(false)
          .thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(isMarked ? GraphThresholdsStyleMode.Line : GraphThresholdsStyleMode.Off))
      : new StatBuilder().textMode(plan.shape === 'name' ? BigValueTextMode.Name : BigValueTextMode.ValueAndName);
  builder.id(id).title(plan.title).description(plan.description).unit(plan.unit).datasource(datasource).gridPos(gridPos).thresholds(thresholds(plan)).targets(targets(plan));
  if (plan.whenEmpty !== undefined) builder.noValue(plan.whenEmpty);
  return builder;
}

/** Rows from top to bottom, panels from left to right; a panel that does not fit begins a new line. */
export function buildBoard(plan: BoardPlan): Dashboard {
  const builder = new DashboardBuilder(plan.title).uid(plan.uid).description(plan.description).tags(['millrace']).refresh('10s').time({ from: 'now-1h', to: 'now' }).timezone('browser');
  for (const { name, label, query } of plan.variables) {
    builder.withVariable(new QueryVariableBuilder(name).label(label).datasource(datasource).query(query).refresh(VariableRefresh.OnTimeRangeChanged).sort(VariableSort.AlphabeticalAsc));
  }
  let y = 0;
  let id = 1;
  for (const row of plan.rows) {
    builder.withRow(new RowBuilder(row.title).id(id).gridPos({ x: 0, y, w: gridColumns, h: 1 }));
    id += 1;
    y += 1;
    let x = 0;
    let lineHeight = 0;
    for (const panel of row.panels) {
      const w = panel.width ?? 8;
      const h = panel.shape === undefined ? 8 : 5;
      if (x + w > gridColumns) {
        x = 0;
        y += lineHeight;
        lineHeight = 0;
      }
      builder.withPanel(panelOf(panel, id, { x, y, w, h }));
      id += 1;
      x += w;
      lineHeight = Math.max(lineHeight, h);
    }
    y += lineHeight;
  }
  return builder.build();
}
