import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { buildBoard } from './board.js';
import { modelBoard } from './model-board.js';
import { ringBoard } from './ring-board.js';
import { serviceBoard } from './service-board.js';

export function boards(): Dashboard[] {
  return [ringBoard, modelBoard, serviceBoard].map(buildBoard);
}
