import { MillraceError } from '@millrace/contracts';
import type { FeatureLayout } from '../inference/index.js';
import { backgroundOf } from './background.js';
import { rowsOf, type Attributed, type AttributedRow, type Attributor, type ExplainerOptions, type RunnableModel } from './explanation.js';
import { probes, summedByFeature, type PlannedTrees } from './explanation-plan.js';
import { InterventionalTreeShap } from './interventional-tree-shap.js';
import { TreeShap, type Attribution } from './tree-shap.js';
import { ensembleScores, type TreeEnsemble } from './tree-ensemble.js';

const backgroundMax = 100;

interface RowExplainer {
  explain(row: Float64Array): Attribution;
}

/** The runtime adds float32 weights in float32: its error grows with what is added up. */
function toleranceOf({ roots, column, leafWeight, leafStart, base }: TreeEnsemble): number {
  let size = base.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  roots.forEach((root, tree) => {
    const [from, to] = [leafStart[root] ?? 0, leafStart[roots[tree + 1] ?? column.length] ?? 0];
    size += leafWeight.subarray(from, to).reduce((most, weight) => Math.max(most, Math.abs(weight)), 0);
  });
  return 1e-6 * Math.max(1, size);
}

/** A sum of trees: exact, by training counts or against a background. */
export class TreeAttributor implements Attributor {
  private readonly byTarget = new Map<number, RowExplainer>();
  private readonly tolerance: number;
  private readonly playerOf: Int32Array | undefined;

  private constructor(
    readonly method: 'tree-path-dependent' | 'tree-interventional',
    readonly against: string,
    private readonly trees: PlannedTrees,
    private readonly featureCount: number,
    private readonly background: { readonly numbers: Float64Array; readonly width: number },
    isJoint: boolean,
  ) {
    this.tolerance = toleranceOf(trees.ensemble);
    // Columns that no tree splits on may come from several features or none: they play as one, after all features.
    this.playerOf = isJoint ? Int32Array.from(trees.origins, (origin) => (origin < 0 ? featureCount : origin)) : undefined;
  }

  /** @throws MillraceError EXPLANATION_UNAVAILABLE when the trees carry no counts, and there is nothing to compare with. */
  static async open(trees: PlannedTrees, model: RunnableModel, layout: FeatureLayout, options: ExplainerOptions): Promise<TreeAttributor> {
    const features = layout.features.length;
    const isJoint = options.columns === 'joint';
    const { cover, missingGoesTrue } = trees.ensemble;
    if (options.method === 'tree-path-dependent' || (options.method === undefined && cover !== null)) {
      return new TreeAttributor('tree-path-dependent', 'the training rows, as the trees count them', trees, features, { numbers: new Float64Array(0), width: 0 }, isJoint);
    }
    const { rows, described, isUnknown } = backgroundOf(options.background, layout.features, backgroundMax);
    if (isUnknown && !missingGoesTrue.includes(1)) {
      throw new MillraceError('EXPLANATION_UNAVAILABLE', 'the trees carry no training counts and know no missing values, so there is nothing to compare a row with: give background rows');
    }
    const columns = rowsOf((await model.run(layout.feedsOf(rows)))[probes.columns], rows.length);
    const width = columns[0]?.length ?? 0;
    const numbers = new Float64Array(width * rows.length);
    columns.forEach((row, index) => numbers.set(row, index * width));
    return new TreeAttributor('tree-interventional', described, trees, features, { numbers, width }, isJoint);
  }

  attribute({ columns, scores }: AttributedRow, column: number): Promise<Attributed> {
    const score = this.trees.scores[column];
    if (score === undefined || columns.length < this.trees.origins.length || scores.length < this.trees.scores.length) {
      throw new MillraceError('EXPLANATION_INEXACT', `the trees take ${columns.length} columns and give ${scores.length} scores, not the ${this.trees.origins.length} and ${this.trees.scores.length} that their graph says`);
    }
    const { base, values } = this.explainerOf(score.target).explain(columns);
    const byFeature = this.playerOf === undefined ? summedByFeature(values, this.trees.origins, this.featureCount) : values;
    const contributions = new Float64Array(this.featureCount).map((_, feature) => score.sign * (byFeature[feature] ?? 0));
    const output = score.sign * (ensembleScores(this.trees.ensemble, columns)[score.target] ?? NaN) + score.offset;
    return Promise.resolve({ base: score.sign * base + score.offset, output, contributions, tolerance: this.tolerance });
  }

  private explainerOf(target: number): RowExplainer {
    let explainer = this.byTarget.get(target);
    if (explainer === undefined) {
      const { ensemble } = this.trees;
      const { numbers, width } = this.background;
      explainer = this.method === 'tree-path-dependent' ? new TreeShap(ensemble, target, this.playerOf) : new InterventionalTreeShap(ensemble, numbers, width, target, this.playerOf);
      this.byTarget.set(target, explainer);
    }
    return explainer;
  }
}
