/** A value made of objects, lists and plain values, none of which can be changed. */
export type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at a path; undefined when there is none. */
export function valueAt(tree: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, name) => {
    const inner = typeof value === 'object' && value !== null && Object.hasOwn(value, name);
    return inner ? (value as Record<PropertyKey, unknown>)[name] : undefined;
  }, tree);
}

/**
 * A copy of the tree with `value` at `path`; sections that are missing are made. A section that is no object stays
 * what it is, and so does all of it.
 */
export function withValue(tree: unknown, [name, ...rest]: readonly string[], value: unknown): unknown {
  if (name === undefined) return value;
  if (tree !== undefined && !isObject(tree)) return tree;
  return { ...tree, [name]: withValue(tree?.[name], rest, value) };
}

/** Freezes it as a whole. */
export function deepFreeze<T>(tree: T): DeepReadonly<T> {
  if (typeof tree === 'object' && tree !== null) {
    for (const inner of Object.values(tree)) deepFreeze(inner);
    Object.freeze(tree);
  }
  return tree as DeepReadonly<T>;
}
