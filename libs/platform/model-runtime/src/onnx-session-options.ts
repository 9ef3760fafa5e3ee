import type { InferenceSession } from 'onnxruntime-node';

/**
 * Small models: a second thread costs more in hand-over than it saves, and the processes of the ring share few cores.
 * @param threads that one operator may use.
 */
export const sessionOptions = (threads = 1): InferenceSession.SessionOptions => ({
  intraOpNumThreads: threads,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
  logSeverityLevel: 4, // failures reach us as exceptions; the runtime need not print them too
});
