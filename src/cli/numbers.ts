import { InvalidArgumentError } from 'commander';

/** Reads an option's integer from `min` to `max`; digits only, so that no typo becomes a number. */
export function integerOption(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = strictInteger(text, min, max);
    if (value === undefined) throw new InvalidArgumentError(`Expected an integer from ${min} to ${max}.`);
    return value;
  };
}

/** The integer that `text` spells; undefined when it is none or out of range. */
export function strictInteger(text: string, min: number, max: number): number | undefined {
  if (!/^(0|-?[1-9]\d*)$/.test(text)) return undefined;
  const value = Number(text);
  return value >= min && value <= max ? value : undefined;
}

export const MIN_INT32 = -2_147_483_648;
export const MAX_INT32 = 2_147_483_647;
export const MAX_UINT32 = 4_294_967_295;
