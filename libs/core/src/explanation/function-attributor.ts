import type { FeatureLayout, Features } from '../inference/index.js';
import { backgroundOf, type Background } from './background.js';
import { rowsOf, type Attributed, type AttributedRow, type Attributor, type ExplainerOptions, type RunnableModel } from './explanation.js';
import { probes } from './explanation-plan.js';
import { permutationShap } from './permutation-shap.js';

const backgroundMax = 50;
const rowsPerRun = 1_024;

/** Any model as a function of its features: sampled orders, with a stated error. */
export class FunctionAttributor implements Attributor {
  readonly method = 'permutation';
  readonly against: string;

  private constructor(
    private readonly model: RunnableModel,
    private readonly layout: FeatureLayout,
    private readonly background: Background,
    private readonly options: ExplainerOptions,
  ) {
    this.against = background.described;
  }

  static async open(model: RunnableModel, layout: FeatureLayout, options: ExplainerOptions): Promise<FunctionAttributor> {
    const attributor = new FunctionAttributor(model, layout, backgroundOf(options.background, layout.features, backgroundMax), options);
    await attributor.scores(attributor.background.rows.map((row) => attributor.values(row)), 0); // a model that cannot take them says so now
    return attributor;
  }

  async attribute({ features }: AttributedRow, column: number): Promise<Attributed> {
    const { base, output, values, standardErrors } = await permutationShap((rows) => this.scores(rows, column), this.values(features), this.background.rows.map((row) => this.values(row)), this.options);
    // A score may differ in its last bits with the rows that share its run.
    return { base, output, contributions: values, standardErrors, tolerance: 1e-6 * Math.max(1, Math.abs(output), Math.abs(base)) };
  }

  private values(row: Features): unknown[] {
    return this.layout.features.map(({ name }) => row[name] ?? null);
  }

  private async scores(rows: readonly (readonly unknown[])[], column: number): Promise<Float64Array> {
    const scores = new Float64Array(rows.length);
    for (let start = 0; start < rows.length; start += rowsPerRun) {
      if (start > 0) await this.options.pause?.();
      const part = rows.slice(start, start + rowsPerRun);
      const feeds = this.layout.feedsOf(part.map((row): Features => Object.fromEntries(this.layout.features.map(({ name }, index) => [name, row[index]]))));
      rowsOf((await this.model.run(feeds))[probes.scores], part.length).forEach((row, index) => (scores[start + index] = row[column] ?? NaN));
    }
    return scores;
  }
}
