// What a model costs by itself: the same runtime and settings, in a process that does nothing else.
// node own-run.js <model.onnx> <input> <columns> <rows> <runs>: prints the times of single runs, ms, as JSON.
import { readFileSync } from 'node:fs';
import { OnnxModelRuntime } from '@millrace/model-runtime';
import { featureRows } from './tree-ensemble.js';

const [path = '', input = 'x', columns = '10', rows = '1', runs = '50'] = process.argv.slice(2);
const model = await new OnnxModelRuntime().load(readFileSync(path));
const shape = [Number(rows), Number(columns)];
const values = featureRows(Number(rows), 3).flatMap((row) => row.slice(0, Number(columns)));
const feeds = { [input]: { datatype: 'FP32' as const, shape, data: Float32Array.from(values) } };
const times: number[] = [];
for (let run = 0; run < Number(runs); run += 1) {
  const startedMs = performance.now();
  await model.run(feeds);
  times.push(performance.now() - startedMs);
}
await model.close();
process.stdout.write(`${JSON.stringify(times)}\n`);
