export { openExplainer } from './explainer.js';
export { watchedExplanations } from './explanation.js';
export type { Contribution, Explainer, ExplainerOptions, Explanation, ExplanationMethod, ExplanationRuntime, RunnableModel } from './explanation.js';
export type { ExplainedSignature } from './explanation-plan.js';
export { InterventionalTreeShap } from './interventional-tree-shap.js';
export type { ExplanationUnit } from './onnx/raw-score.js';
export { permutationShap, type PermutationOptions, type SampledAttribution } from './permutation-shap.js';
export { ensembleScores, takesTrue, type TreeEnsemble } from './tree-ensemble.js';
export { treeShap, TreeShap, type Attribution } from './tree-shap.js';
