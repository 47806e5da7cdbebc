import type { Change } from '../../view/shapes.js';

/** Changes that are one thing to people: the same happened to several hosts of a service within a minute. */
export interface ChangeGroup {
  /** The newest one. */
  readonly first: Change;
  /** All of them, newest first. */
  readonly changes: readonly Change[];
}

/** `changes`: newest first. Groups are in the order of their newest one. */
export function groupChanges(changes: readonly Change[]): ChangeGroup[] {
  const groups = new Map<string, Change[]>();
  for (const change of changes) {
    const { at, kind, modid, cmdid, host, id } = change;
    const isOfHost = host !== null && modid !== null;
    const key = isOfHost ? `${at.slice(0, 16)} ${kind} ${modid}/${cmdid}` : `${id}`;
    const group = groups.get(key);
    if (group) group.push(change);
    else groups.set(key, [change]);
  }
  return [...groups.values()].map((group) => ({ first: group[0]!, changes: group }));
}
