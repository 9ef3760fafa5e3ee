import type { PlainRoutes } from '@millrace/service';
import type { Predictions } from './predictions.js';

/** Names as they stand in a path without escapes; Fastify refuses longer ones. */
const inferPath = /^\/v2\/models\/([^/]{1,100})(?:\/versions\/([^/]{1,100}))?\/infer$/;
const predictPath = /^\/v1\/models\/([^/]{1,100})\/predict$/;

/** The paths that are asked many times a second, for the lane past node:http. */
export function plainRoutes(predictions: Predictions): PlainRoutes {
  return (url) => {
    const [, model, version] = inferPath.exec(url) ?? [];
    if (model !== undefined) return (headers, body) => predictions.infer({ url, model, version, headers, body });
    const [, tabular] = predictPath.exec(url) ?? [];
    return tabular === undefined ? undefined : (headers, body) => predictions.predict({ url, model: tabular, headers, body });
  };
}
