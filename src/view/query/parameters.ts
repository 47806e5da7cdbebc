import { parseIpv4 } from '../../model/ipv4.js';

/** A question that has no answer as it is. `status`: of HTTP; the message says what is wrong, and with which parameter. */
export class Unanswerable extends Error {
  readonly status: 400 | 404 | 410;

  constructor(status: 400 | 404 | 410, message: string) {
    super(message);
    this.status = status;
  }
}

export interface HostFilter {
  readonly ip: number;
  /** Any, unless given. */
  readonly port: number | undefined;
}

const MIN_INT32 = -0x8000_0000;
const MAX_INT32 = 0x7fff_ffff;
const MAX_OFFSET = 1_000_000_000;
const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** The parameters of one question. Every reader throws `Unanswerable` (400), which names the parameter. */
export class Parameters {
  readonly #query: URLSearchParams;

  /** `known`: those there are; others, and repeated ones, are refused. A name that is mistyped must not mean more. */
  constructor(query: URLSearchParams, known: readonly string[]) {
    this.#query = query;
    for (const name of query.keys()) {
      if (!known.includes(name))
        throw new Unanswerable(
          400,
          `${name} is unknown; ${known.length === 0 ? 'there are no parameters here' : `there are ${known.join(', ')}`}`,
        );
      if (query.getAll(name).length > 1) throw new Unanswerable(400, `${name} is given twice`);
    }
  }

  text(name: string): string | undefined {
    return this.#query.get(name) ?? undefined;
  }

  integer(name: string, min: number, max: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const number = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= min && number <= max) return number;
    throw new Unanswerable(400, `${name} is to be an integer from ${min} to ${max}`);
  }

  int32(name: string): number | undefined {
    return this.integer(name, MIN_INT32, MAX_INT32);
  }

  limit(byDefault: number, max: number): number {
    return this.integer('limit', 1, max) ?? byDefault;
  }

  offset(): number {
    return this.integer('offset', 0, MAX_OFFSET) ?? 0;
  }

  boolean(name: string): boolean | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (text === 'true' || text === '1') return true;
    if (text === 'false' || text === '0') return false;
    throw new Unanswerable(400, `${name} is to be true or false`);
  }

  /** Some of these words, separated by commas; at least one. */
  words<Word extends string>(name: string, known: readonly Word[]): readonly Word[] | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    return text.split(',').map((part) => {
      const word = known.find((one) => one === part);
      if (word !== undefined) return word;
      throw new Unanswerable(400, `${name} is to be some of ${known.join(', ')}, separated by commas`);
    });
  }

  /** IPv4 as int32. */
  ip(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const ip = parseIpv4(text);
    if (ip !== undefined) return ip;
    throw new Unanswerable(400, `${name} is to be an address such as 10.0.0.9`);
  }

  /** `10.0.0.1:80`, or all ports of `10.0.0.1`. */
  host(name: string): HostFilter | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const [, address = '', digits] = /^([^:]*)(?::(-?\d{1,10}))?$/.exec(text) ?? [];
    const ip = parseIpv4(address);
    const port = digits === undefined ? undefined : Number(digits);
    if (ip !== undefined && (port === undefined || (port >= MIN_INT32 && port <= MAX_INT32)))
      return { ip, port };
    throw new Unanswerable(400, `${name} is to be a host such as 10.0.0.1:80`);
  }

  /** A time of the wall clock, epoch seconds: `15m`, `2h` before `nowS`, or ISO 8601. */
  time(name: string, nowS: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const span = /^(\d{1,9})([smhd])$/.exec(text);
    if (span) return nowS - Number(span[1]) * UNITS[span[2]!]!;
    const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
    if (!Number.isNaN(time)) return time / 1000;
    throw new Unanswerable(
      400,
      `${name} is to be a span such as 15m or 2h, or a time such as 2026-11-27T02:00:00Z`,
    );
  }
}

/** A number in a path, such as those of /api/services/4242/17. */
export function pathInt32(name: string, text: string): number {
  return new Parameters(new URLSearchParams([[name, text]]), [name]).int32(name)!;
}

/** An address in a path, such as that of /api/hosts/10.0.0.1. */
export function pathIp(text: string): number {
  const ip = parseIpv4(text);
  if (ip === undefined) throw new Unanswerable(400, 'ip is to be an address such as 10.0.0.9');
  return ip;
}
