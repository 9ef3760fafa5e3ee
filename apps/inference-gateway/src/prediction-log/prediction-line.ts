import { predictionServed, type PredictionServed } from '@millrace/contracts';
import { wrapEvent, type OutgoingMessage } from '@millrace/messaging';

/**
 * One prediction as it waits in the spool: record id (as JSON, so that it holds no tab or line break), prediction id, time,
 * traceparent (may be empty) and the event’s data as JSON, separated by tabs, ended by a line feed. The relay need not
 * parse the data to know its key.
 */
export function encodePredictionLine(data: PredictionServed, traceparent: string | undefined): string {
  return `${JSON.stringify(data.recordId)}\t${data.predictionId}\t${data.servedAt}\t${traceparent ?? ''}\t${JSON.stringify(data)}\n`;
}

export function decodePredictionLines(lines: string): OutgoingMessage[] {
  const messages: OutgoingMessage[] = [];
  for (const line of lines.split('\n')) {
    const [recordId, predictionId, time, traceparent, json] = line.split('\t');
    if (recordId === undefined || predictionId === undefined || time === undefined || json === undefined) continue;
    messages.push(
      wrapEvent(predictionServed, json, {
        key: JSON.parse(recordId) as string,
        id: predictionId,
        time,
        source: '/millrace/inference-gateway',
        traceparent: traceparent === '' ? undefined : traceparent,
      }),
    );
  }
  return messages;
}
