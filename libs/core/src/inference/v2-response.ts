import { MillraceError, type Tensor, type Tensors } from '@millrace/contracts';
import { checkDepth, objectOf, textOf } from './v2-json-text.js';
import { encodeMessage, writeMember, writeParameters } from './v2-message-writer.js';
import type { AnswerForm, EncodedMessage, InferResponse } from './v2-messages.js';
import { jsonPart } from './v2-request.js';
import { readParameters, setOwn, TensorReader } from './v2-tensor-reader.js';

const what = 'inference response';

/**
 * An answer as the client asked for it: each output in JSON unless binary was wanted. JSON data is flat; floats are the
 * shortest decimals that read back as the same value, integers exact, NaN and the infinities texts (see v2-json-elements).
 * `id` is always sent, since some stock clients require it.
 * @param form the request that is answered, or what it says about the form of its outputs.
 * @throws MillraceError TENSOR_INVALID for a text that UTF-8 does not have, wanted in binary.
 */
export function encodeInferResponse({ modelName, modelVersion, id, parameters, outputs }: InferResponse, form: AnswerForm = {}): EncodedMessage {
  const { binaryOutput = false, binaryOutputs } = form;
  return encodeMessage(
    (writer) => {
      writeMember(writer, 'model_name', modelName);
      if (modelVersion !== undefined) writeMember(writer, 'model_version', modelVersion);
      writeMember(writer, 'id', id ?? '');
      if (parameters === undefined) return;
      writeParameters(writer, parameters);
      writer.ascii(',');
    },
    'outputs',
    outputs,
    (name) => (binaryOutputs !== undefined && Object.hasOwn(binaryOutputs, name) ? binaryOutputs[name] === true : binaryOutput),
  );
}

/**
 * The client's half.
 * @param headerLength value of the header `Inference-Header-Content-Length`, undefined when the answer has none.
 * @throws MillraceError TENSOR_INVALID as decodeInferRequest.
 */
export function decodeInferResponse(body: Uint8Array, headerLength?: number): InferResponse {
  const text = textOf(jsonPart(body, headerLength, what), what);
  const message = objectOf(text, what);
  const reader = new TensorReader('outputs', what, text, body, headerLength ?? body.length);
  const { model_name: modelName, model_version: modelVersion, id } = message;
  if (typeof modelName !== 'string') reader.mistakes.add('/model_name', 'must be a text');
  const outputs = reader.tensors(message['outputs']);
  const parameters = message['parameters'] === undefined ? {} : { parameters: readParameters(message['parameters'], '/parameters', reader.mistakes) };
  reader.finish();
  checkDepth(text, what);
  return {
    modelName: String(modelName),
    ...(typeof modelVersion === 'string' ? { modelVersion } : {}),
    ...(typeof id === 'string' ? { id } : {}),
    ...parameters,
    outputs,
  };
}

/** The outputs asked for, in that order; all when none are named. @throws MillraceError TENSOR_INVALID for a name the model does not have. */
export function selectOutputs(outputs: Tensors, names: readonly string[] | undefined): Tensors {
  if (names === undefined) return outputs;
  const selected: Record<string, Tensor> = {};
  for (const name of names) {
    const tensor = Object.hasOwn(outputs, name) ? outputs[name] : undefined;
    if (tensor === undefined) throw new MillraceError('TENSOR_INVALID', `the model has no output ${name}; it has ${Object.keys(outputs).join(', ')}`);
    setOwn(selected, name, tensor);
  }
  return selected;
}
