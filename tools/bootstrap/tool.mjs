import { join } from 'node:path';
import { ensureBuilt } from './ensure-built.mjs';
import { runOnNode24 } from './child.mjs';
import { places } from './places.mjs';

// node tools/bootstrap/tool.mjs <script of the checkout> [parameters]: builds what is missing, then runs it on Node 24.
const [script = '', ...parameters] = process.argv.slice(2);
const path = join(places.checkout, script);

ensureBuilt(path).then(() => runOnNode24(path, parameters)).then(
  (code) => process.exit(code),
  (error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  },
);
