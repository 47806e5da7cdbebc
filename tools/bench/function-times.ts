import type { Profiler } from 'node:inspector/promises';

/** Microseconds by `file:function`, see `nameOf`. */
export type FunctionTimes = Readonly<Record<string, number>>;

/** `file:function`; the file is below `src/`, below `node_modules/`, or a bare name. */
export function nameOf(url: string, functionName: string): string {
  const file = url.replace(/^.*\/(dist\/src|node_modules)\//, '').replace(/^file:.*\//, '');
  return `${file}:${functionName}`;
}

/** Time of each function of ours, and of packages, with the native functions it calls but no others. */
export function timesOf({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): FunctionTimes {
  const callers = new Map(
    nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node] as const)),
  );
  const names = new Map(
    nodes.map((node) => {
      let named = node;
      // Native functions have no file, and often the name of another one: they count for who calls them.
      while (named.callFrame.url === '' && !named.callFrame.functionName.startsWith('('))
        named = callers.get(named.id)!;
      return [node.id, nameOf(named.callFrame.url, named.callFrame.functionName)];
    }),
  );
  const times: Record<string, number> = {};
  samples.forEach((id, index) => {
    const name = names.get(id)!;
    times[name] = (times[name] ?? 0) + (timeDeltas[index] ?? 0);
  });
  return times;
}
