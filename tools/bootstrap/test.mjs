import { fileURLToPath } from 'node:url';
import { bootstrap } from './bootstrap.mjs';
import { runOnNode24 } from './child.mjs';

const usage = `Sets up what is missing and runs every test, on a Kafka and a PostgreSQL of its own.

  npm test                        everything: TypeScript (jest) and the trainer (Python)
  npm test -- libs/core           jest only, the spec files whose path matches
  npm test -- tools/stack -t port …and of those the tests whose name matches

The last line is "N passed, N failed, N skipped"; the status is 0 only if nothing failed and something passed.
KAFKA_BROKERS and DATABASE_URL use existing servers instead of starting them.
`;

async function main() {
  const parameters = process.argv.slice(2);
  if (parameters.includes('--help')) {
    process.stdout.write(usage);
    return 0;
  }
  await bootstrap();
  return runOnNode24(fileURLToPath(new URL('run-tests.mjs', import.meta.url)), parameters);
}

main().then(
  (code) => process.exit(code),
  (error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exit(1);
  },
);
