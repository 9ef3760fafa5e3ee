import { errorCatalogue, type ErrorCode } from '@millrace/contracts';
import { generatedNotice, table } from './markdown.js';

/** docs/errors.md */
export function errorReference(): string {
  const codes = (Object.keys(errorCatalogue) as ErrorCode[]).sort();
  const rows = codes.map((code) => {
    const { http, retryable, meaning } = errorCatalogue[code];
    return [`\`${code}\``, String(http), retryable ? 'yes' : 'no', meaning];
  });
  return `# Errors
${generatedNotice} Source: \`libs/contracts/src/errors.ts\`.

Every failure that leaves a service is \`{ "error": sentence, "code": code, "mistakes"?: [{ "path", "message" }] }\`. Codes are a closed catalogue: a code is never reused or given a second meaning.
*Retry* tells whether the same call may succeed later without being changed.

${table(['code', 'HTTP', 'retry', 'meaning'], rows)}
`;
}
