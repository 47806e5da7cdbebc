/** What is done to a reporter: the names are those of faults of the chaos run. */
export const KINDS = ['handed over', 'reader killed', 'configuration changed'] as const;
export type Kind = (typeof KINDS)[number];

export interface Event {
  /** Since the beginning. */
  readonly atMs: number;
  readonly kind: Kind;
}

/** Times that each kind comes in a minute. */
const A_MINUTE = 2;

/** As many of each kind as fit, at least one, at moments of chance, the earliest first. */
export function planOf(minutes: number, random: () => number): Event[] {
  const times = Math.max(1, Math.round(A_MINUTE * minutes));
  return KINDS.flatMap((kind) =>
    Array.from({ length: times }, () => ({ kind, atMs: random() * minutes * 60_000 })),
  ).sort((one, other) => one.atMs - other.atMs);
}
