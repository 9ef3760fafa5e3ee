import { runService } from '@millrace/service';
import { TrainingOrchestrator1700000800000 } from './migrations/0001-training-orchestrator.js';
import { trainingOrchestratorSettings } from './training-orchestrator.config.js';
import { TrainingOrchestratorModule } from './training-orchestrator.module.js';

runService({
  name: 'training-orchestrator',
  description: 'Decides when a model is trained again, and runs the training pipeline as durable steps.',
  settings: trainingOrchestratorSettings,
  module: (config) => TrainingOrchestratorModule.with(config),
  database: { migrations: [TrainingOrchestrator1700000800000] },
});
