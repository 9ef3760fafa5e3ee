import { attributeOf, producersOf, type OnnxGraph, type OnnxNode } from './graph.js';
import { constantOf, type Constant } from './tensor.js';

/** Of one column: index of the feature it is made from, or one of the two below. */
export type Origin = number;
export const fromConstants: Origin = -1;
/** Made from more than one feature: no single one can be given its part. */
export const fromSeveral: Origin = -2;

/** The columns of one row of a tensor [n, …], flattened in row-major order. */
interface Columns {
  /** Dimensions after the first. */
  readonly dims: readonly number[];
  readonly origins: readonly Origin[];
}

const columnsMax = 1_000_000;
const depthMax = 10_000;

const productOf = (dims: readonly number[]): number => dims.reduce((product, dim) => product * dim, 1);
const joined = (a: Origin, b: Origin): Origin => (a === b || b === fromConstants ? a : a === fromConstants ? b : fromSeveral);

/** One value in, one value out, at the same place: whatever they compute. */
const elementwise = new Set([
  'Abs', 'Add', 'And', 'Binarizer', 'Cast', 'CastLike', 'CategoryMapper', 'Ceil', 'Clip', 'Div', 'Equal', 'Exp', 'Floor', 'Greater', 'GreaterOrEqual', 'Identity', 'Imputer',
  'IsInf', 'IsNaN', 'LabelEncoder', 'Less', 'LessOrEqual', 'Log', 'Max', 'Min', 'Mul', 'Neg', 'Not', 'Or', 'Pow', 'Reciprocal', 'Relu', 'Round', 'Scaler', 'Sigmoid', 'Sign',
  'Sqrt', 'StringNormalizer', 'Sub', 'Tanh', 'Where', 'Xor',
]);
/** The same values in the same order under other dimensions. */
const rearranging = new Set(['Flatten', 'Reshape', 'Squeeze', 'Unsqueeze']);

/** Follows columns backwards through a graph to the features that callers give. Null anywhere: not known. */
export class ColumnOrigins {
  private readonly producers: ReadonlyMap<string, OnnxNode>;
  private readonly known = new Map<string, Columns | null>();

  /** @param features per graph input: the feature of each of its columns. */
  constructor(
    private readonly graph: OnnxGraph,
    features: ReadonlyMap<string, readonly Origin[]>,
  ) {
    this.producers = producersOf(graph);
    for (const [name, origins] of features) this.known.set(name, { dims: [origins.length], origins });
  }

  /** Of a tensor [n, columns]; null when an operator on the way is not known here. */
  of(tensor: string): readonly Origin[] | null {
    return this.columnsOf(tensor, 0)?.origins ?? null;
  }

  private columnsOf(tensor: string, depth: number): Columns | null {
    const known = this.known.get(tensor);
    if (known !== undefined) return known;
    this.known.set(tensor, null); // what leads back to itself stays unknown
    const node = this.producers.get(tensor);
    const columns = node === undefined || depth > depthMax ? null : this.through(node, tensor, depth + 1);
    const found = columns !== null && columns.origins.length <= columnsMax ? columns : null;
    this.known.set(tensor, found);
    return found;
  }

  private through(node: OnnxNode, output: string, depth: number): Columns | null {
    if (elementwise.has(node.op)) return this.elementwise(node, depth);
    const first = node.inputs[0] === undefined ? null : this.columnsOf(node.inputs[0], depth);
    if (node.op === 'Concat' || node.op === 'FeatureVectorizer') return this.concat(node, depth);
    if (first === null) return null;
    if (rearranging.has(node.op)) return this.rearranged(node, first);
    switch (node.op) {
      case 'OneHotEncoder': return oneHot(node, first);
      case 'ArrayFeatureExtractor': return picked(first, this.constant(node.inputs[1]));
      case 'Gather': return attributeOf(node, 'axis').number === 1 && first.dims.length === 1 ? picked(first, this.constant(node.inputs[1])) : null;
      case 'Slice': return this.slice(node, first);
      case 'Split': return this.split(node, output, first);
      default: return null;
    }
  }

  private constant(tensor: string | undefined): Constant | null {
    const initializer = this.graph.constants.get(tensor ?? '');
    if (initializer !== undefined) return constantOf(initializer);
    const node = this.producers.get(tensor ?? '');
    return node?.op === 'Constant' ? attributeOf(node, 'value').tensor : null;
  }

  /** Broadcasts as the runtime does, over the dimensions after the first. */
  private elementwise(node: OnnxNode, depth: number): Columns | null {
    const parts: Columns[] = [];
    for (const input of node.inputs.filter((name) => name !== '')) {
      const constant = this.constant(input);
      const columns = constant === null ? this.columnsOf(input, depth) : null;
      if (columns !== null) parts.push(columns);
      else if (constant === null) return null;
      // [1, k] and [k] line up with the columns; [m, k] with m > 1 would tie the answer to the batch.
      else if (constant.dims.length > 2 || (constant.dims.length === 2 && constant.dims[0] !== 1)) return null;
      else {
        const width = constant.dims.at(-1) ?? 1;
        if (width > columnsMax) return null;
        parts.push({ dims: [width], origins: new Array<Origin>(width).fill(fromConstants) });
      }
    }
    const widest = parts.reduce<Columns | null>((most, part) => (most === null || part.dims.length > most.dims.length || (part.dims.length === most.dims.length && part.origins.length > most.origins.length) ? part : most), null);
    if (widest === null) return null;
    const fits = parts.every(({ dims, origins }) => origins.length === 1 || (dims.length === widest.dims.length && dims.every((dim, axis) => dim === widest.dims[axis])));
    if (!fits) return null;
    return { dims: widest.dims, origins: widest.origins.map((_, at) => parts.reduce((origin, { origins }) => joined(origin, origins[origins.length === 1 ? 0 : at] ?? fromSeveral), fromConstants)) };
  }

  private concat(node: OnnxNode, depth: number): Columns | null {
    const parts = node.inputs.map((input) => this.columnsOf(input, depth));
    const dims = parts[0]?.dims;
    if (dims === undefined) return null;
    const given = node.op === 'Concat' ? (attributeOf(node, 'axis').number ?? 0) : 1;
    const axis = (given < 0 ? given + dims.length + 1 : given) - 1;
    if (axis < 0 || axis >= dims.length) return null;
    const origins: Origin[] = [];
    const outer = productOf(dims.slice(0, axis));
    for (let block = 0; block < outer; block += 1) {
      for (const part of parts) {
        if (part === null || part.dims.length !== dims.length || productOf(part.dims.slice(0, axis)) !== outer) return null;
        const inner = part.origins.length / outer;
        for (let at = 0; at < inner; at += 1) origins.push(part.origins[block * inner + at] ?? fromSeveral);
      }
    }
    return { dims: dims.map((dim, index) => (index === axis ? parts.reduce((sum, part) => sum + (part?.dims[axis] ?? 0), 0) : dim)), origins };
  }

  private axes(node: OnnxNode): number[] | null {
    const constant = this.constant(node.inputs[1]);
    const axes = constant === null ? attributeOf(node, 'axes').numbers : constant.values;
    return axes === null ? null : [...axes];
  }

  private rearranged(node: OnnxNode, { dims, origins }: Columns): Columns | null {
    if (node.op === 'Flatten') return (attributeOf(node, 'axis').number ?? 1) === 1 ? { dims: [origins.length], origins } : null;
    if (node.op === 'Reshape') return this.reshaped(node, { dims, origins });
    const axes = this.axes(node);
    if (axes === null || axes.length === 0) return null;
    const rank = dims.length + 1 + (node.op === 'Unsqueeze' ? axes.length : 0);
    const places = new Set(axes.map((axis) => (axis < 0 ? axis + rank : axis) - 1));
    if ([...places].some((place) => place < 0)) return null; // the rows themselves
    if (node.op === 'Squeeze') return { dims: dims.filter((_, axis) => !places.has(axis)), origins };
    const kept = [...dims];
    return { dims: Array.from({ length: rank - 1 }, (_, axis) => (places.has(axis) ? 1 : (kept.shift() ?? 1))), origins };
  }

  /** Only where each row stays a row: the dimensions after the first hold as many columns as before. */
  private reshaped(node: OnnxNode, { dims, origins }: Columns): Columns | null {
    const target = [...(this.constant(node.inputs[1])?.values ?? [])];
    if (target.length < 1) return null;
    const after = target.slice(1).map((dim, axis) => (dim === 0 ? (dims[axis] ?? 0) : dim));
    const open = after.indexOf(-1);
    // The first dimension must be the one that follows from the number of rows, or be copied.
    if (target[0] !== 0 && (target[0] !== -1 || open >= 0)) return null;
    if (open >= 0) after[open] = origins.length / productOf(after.filter((dim) => dim !== -1));
    return productOf(after) === origins.length && after.every(Number.isInteger) ? { dims: after, origins } : null;
  }

  private slice(node: OnnxNode, { dims, origins }: Columns): Columns | null {
    const [starts, ends, axes, strides] = node.inputs.slice(1).map((input) => this.constant(input)?.values ?? null);
    const [start, end] = [starts?.[0], ends?.[0]];
    const isPlain = dims.length === 1 && starts?.length === 1 && [1, -1].includes(axes?.[0] ?? 0) && (strides === undefined || strides?.[0] === 1);
    if (!isPlain || start === undefined || end === undefined) return null;
    const kept = origins.slice(start, Math.min(end, origins.length));
    return { dims: [kept.length], origins: kept };
  }

  private split(node: OnnxNode, output: string, { dims, origins }: Columns): Columns | null {
    const axis = attributeOf(node, 'axis').number ?? 0;
    if (dims.length !== 1 || (axis !== 1 && axis !== -1)) return null;
    const sizes = [...(this.constant(node.inputs[1])?.values ?? attributeOf(node, 'split').numbers)];
    const equal = Math.ceil(origins.length / node.outputs.length);
    const place = node.outputs.indexOf(output);
    const start = sizes.length === 0 ? place * equal : sizes.slice(0, place).reduce((sum, size) => sum + size, 0);
    const kept = origins.slice(start, start + (sizes.length === 0 ? equal : (sizes[place] ?? 0)));
    return { dims: [kept.length], origins: kept };
  }
}

function oneHot(node: OnnxNode, { dims, origins }: Columns): Columns | null {
  const categories = Math.max(attributeOf(node, 'cats_int64s').numbers.length, attributeOf(node, 'cats_strings').texts.length);
  if (categories * origins.length > columnsMax) return null;
  return { dims: [...dims, categories], origins: origins.flatMap((origin) => new Array<Origin>(categories).fill(origin)) };
}

function picked({ dims, origins }: Columns, places: Constant | null): Columns | null {
  const values = places?.values ?? null;
  if (places === null || values === null || dims.length !== 1 || places.dims.length > 2) return null;
  const kept = [...values].map((place) => origins[place < 0 ? place + origins.length : place] ?? fromSeveral);
  // Gather with a single place drops the dimension; the row is the same.
  return { dims: [kept.length], origins: kept };
}
