const known: readonly (readonly [RegExp, (match: RegExpExecArray) => string])[] = [
  [/Protobuf parsing failed|ModelProto does not have a graph/, () => 'it is no ONNX file, or a part of it is missing'],
  [/No Op registered for (\S+) with domain_version of (\d+)/, ([, operator = '', version = '']) => `this runtime does not know its operator ${operator} (operator set ${version}). Export it with standard operators`],
  [/Opset (\d+) is under development|opset (\d+)[^.]*only \*guarantees\*|Unsupported model IR version/i, ([text]) => `it was exported for a newer runtime (${text}). Export it for an older operator set`],
  [/external data|External data|External initializer|file_size|GetFileLength/, () => 'it keeps weights in another file that is not there. Export it as one self-contained .onnx file, or put the file beside it'],
];

/** What the runtime says against a model file, in words for its owner and without paths of this machine's temporary files. */
export function loadReason(said: string, path: string): string {
  for (const [pattern, sentence] of known) {
    const match = pattern.exec(said);
    if (match !== null) return sentence(match);
  }
  return said.replaceAll(path, 'the file').replace(/\.+$/, '');
}
