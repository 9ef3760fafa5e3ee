const known: readonly (readonly [RegExp, (match: RegExpExecArray) => string])[] = [
  [/protobuf parsing failed|No graph was found|ModelProto does not have a graph/i, () => 'it is no ONNX file, or a part of it is missing'],
  [/No Op registered for (\S+) with domain_version of (\d+)/, ([, operator = '', version = '']) => `this runtime does not know its operator ${operator} (operator set ${version}). Export it with standard operators`],
  [/No opset import for domain '([^']*)'/, ([, domain = '']) => `this runtime does not know the operators of ${domain}. Export it with standard operators`],
  [/Opset \d+ is under development|Unsupported model IR version[^.]*/i, ([text]) => `it was exported for a newer runtime (${text}). Export it for an older operator set`],
  [/External data path does not exist: "([^"]*)"/, ([, file = '']) => `it keeps weights in the file ${file.slice(file.lastIndexOf('/') + 1)}, which is not there. Export it as one self-contained .onnx file, or put that file beside it`],
  [/External data path escapes/, () => 'it keeps weights in a file outside its own folder, which is not read. Export it as one self-contained .onnx file'],
];

/** What the runtime says against a model file, in words for its owner and without paths of this machine's temporary files. */
export function loadReason(said: string, path: string): string {
  for (const [pattern, sentence] of known) {
    const match = pattern.exec(said);
    if (match !== null) return sentence(match);
  }
  return said.replaceAll(path, 'the file').replace('Load model from the file failed:', '').replace(/[.\s]+$/, '');
}
