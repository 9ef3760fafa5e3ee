import { parseAttributions, parseInputs, serialiseAttributions, serialiseInputs, type AttributionState, type InputState } from '@millrace/core/drift';
import type { PaneSource } from './pane.js';

/** How the panes of a source are kept. */
interface PaneForm {
  encode(state: unknown): Buffer;
  decode(bytes: Buffer): unknown;
}

const json: PaneForm = { encode: (state) => Buffer.from(JSON.stringify(state)), decode: (bytes) => JSON.parse(bytes.toString('utf8')) };
const binary: PaneForm = { encode: (state) => Buffer.from(serialiseInputs(state as InputState)), decode: (bytes) => parseInputs(bytes) };
const attributions: PaneForm = { encode: (state) => Buffer.from(serialiseAttributions(state as AttributionState)), decode: (bytes) => parseAttributions(bytes.toString('utf8')) };

export const paneForms: Readonly<Record<PaneSource, PaneForm>> = { predictions: binary, explanations: attributions, outcomes: json, errors: json };
