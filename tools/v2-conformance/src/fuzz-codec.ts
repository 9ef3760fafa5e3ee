import { MillraceError } from '@millrace/contracts';
import { decodeInferRequest, encodeInferRequest } from '@millrace/core/inference';
import type { FuzzBody } from './fuzz-bodies.js';

export interface FuzzCounts {
  accepted: number;
  refused: number;
}

/** Reads one body with this project's codec. @throws Error for anything but a reading that holds, or a refusal of 400 to 499 */
export function fuzzCodec({ body, headerLength }: FuzzBody, counts: FuzzCounts): void {
  try {
    const request = decodeInferRequest(body, { headerLength, rawInput: () => ({ name: 'x', datatype: 'FP32', shape: [-1, 2] }) });
    // What was read can be said again, and means the same.
    const again = encodeInferRequest(request);
    const { body: twice } = encodeInferRequest(decodeInferRequest(again.body));
    if (Buffer.compare(again.body, twice) !== 0) throw new Error(`read twice, ${Buffer.from(again.body).toString()} became ${Buffer.from(twice).toString()}`);
    counts.accepted += 1;
  } catch (error) {
    if (!(error instanceof MillraceError) || error.httpStatus < 400 || error.httpStatus > 499) throw error;
    counts.refused += 1;
  }
}
