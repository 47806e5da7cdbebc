import { type Answer, failure } from './route.js';

/** The question cannot be answered as it is; the message says what to ask instead. */
export class Misasked extends Error {}

/** A parameter that is unknown or given twice must not mean more, or less. Throws `Misasked`, which names it. */
export function checkNames(query: URLSearchParams, known: readonly string[]): void {
  for (const name of query.keys()) {
    if (!known.includes(name))
      throw new Misasked(
        `${name} is unknown; ${known.length === 0 ? 'there are no parameters here' : `there are ${known.join(', ')}`}`,
      );
    if (query.getAll(name).length > 1) throw new Misasked(`${name} is given twice`);
  }
}

/** An integer in a query or a body. Throws `Misasked`, which names it. */
export function integerOf(name: string, value: unknown, min: number, max: number): number {
  const number = typeof value === 'string' && /^-?\d{1,10}$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isInteger(number) && number >= min && number <= max) return number;
  throw new Misasked(`${name} is to be an integer from ${min} to ${max}`);
}

/** Takes `format` out of a query. Throws `Misasked`. */
export function takeFormat(query: URLSearchParams): 'json' | 'csv' {
  const [format = 'json', ...more] = query.getAll('format');
  if (more.length > 0) throw new Misasked('format is given twice');
  if (format !== 'json' && format !== 'csv') throw new Misasked('format is to be json or csv');
  query.delete('format');
  return format;
}

/** What `handle` answers, or 400 with why it was asked wrongly. */
export async function answering(handle: () => Answer | Promise<Answer>): Promise<Answer> {
  try {
    return await handle();
  } catch (error) {
    if (error instanceof Misasked) return failure(400, error.message);
    throw error;
  }
}

/** `name`: of the file that browsers save. */
export function csv(name: string, text: string): Answer {
  return {
    status: 200,
    type: 'text/csv; charset=utf-8',
    body: text,
    headers: { 'content-disposition': `attachment; filename="lars-${name}.csv"` },
  };
}

/** Not now, but soon. */
export function later(why: string, afterS = 1): Answer {
  return failure(503, why, { 'retry-after': String(afterS) });
}
