/** A stream that shows a difference, and where it is cut. */
export interface Counterexample {
  readonly bytes: Uint8Array;
  readonly cuts: readonly number[];
}

type Fails = (example: Counterexample) => boolean | Promise<boolean>;

/**
 * Makes a counterexample smaller as long as it stays one: takes out ever smaller parts of its bytes, then its cuts,
 * then sets bytes to zero. Tries `maxTries` times at most.
 */
export async function shrink(
  example: Counterexample,
  fails: Fails,
  maxTries = 5000,
): Promise<Counterexample> {
  let best = example;
  let tries = 0;
  const improves = async (candidate: Counterexample): Promise<boolean> => {
    if (tries++ >= maxTries || !(await fails(candidate))) return false;
    best = candidate;
    return true;
  };
  for (let before = -1; before !== best.bytes.length; ) {
    before = best.bytes.length;
    for (let part = Math.ceil(best.bytes.length / 2); part >= 1; part = part === 1 ? 0 : Math.ceil(part / 2))
      for (let at = 0; at < best.bytes.length; ) if (!(await improves(without(best, at, part)))) at += part;
  }
  for (let index = best.cuts.length - 1; index >= 0; index--)
    await improves({ bytes: best.bytes, cuts: best.cuts.filter((_, other) => other !== index) });
  for (let at = 0; at < best.bytes.length; at++) {
    if (best.bytes[at] === 0) continue;
    const bytes = Uint8Array.from(best.bytes);
    bytes[at] = 0;
    await improves({ bytes, cuts: best.cuts });
  }
  return best;
}

function without({ bytes, cuts }: Counterexample, at: number, length: number): Counterexample {
  const end = Math.min(bytes.length, at + length);
  return {
    bytes: Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]),
    cuts: cuts.map((cut) => (cut <= at ? cut : Math.max(at, cut - (end - at)))),
  };
}
