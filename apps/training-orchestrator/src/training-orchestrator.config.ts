import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { integer, storageSettings, text, type ConfigOf } from '@millrace/service';

export const trainingOrchestratorSettings = {
  ...storageSettings,
  workFolder: text('WORK_FOLDER', 'where job folders live while a run lasts', join(tmpdir(), 'millrace', 'training')),
  trainerPython: text('TRAINER_PYTHON', 'the Python interpreter that has the trainer’s packages', 'python3'),
  trainerFolder: text('TRAINER_FOLDER', 'the folder that holds the package millrace_tabular', join('trainers', 'tabular')),
  concurrency: integer('TRAINING_CONCURRENCY', 'pipeline steps that run side by side in one process', { min: 1, max: 16 }, 1),
} as const;
export type TrainingOrchestratorConfig = ConfigOf<typeof trainingOrchestratorSettings>;
