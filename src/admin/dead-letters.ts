import {
  type DeadLetterDesk,
  DeadLetterError,
  type DeadLetterFilter,
  isRestricted,
  letterJson,
} from '../model/dead-letter.js';
import { parseIpv4 } from '../model/ipv4.js';
import { type Answer, failure, json, type Route, STARTING } from './route.js';

const PATH = '/api/dead-letters';
const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 10_000;
const MAX_OFFSET = 1_000_000_000;

/** Undefined while the reporter starts. */
export type DeskSource = () => DeadLetterDesk | undefined;

/** Dead letters for operators: the list, and ways to have them stored after all, or removed. */
export function deadLetterRoutes(desk: DeskSource): readonly Route[] {
  return [
    {
      method: 'GET',
      path: PATH,
      handle: ({ query }) =>
        answer(desk(), async (letters) => {
          const { filter, limit, offset } = listQuestion(query);
          const { total, letters: some } = await letters.list(filter, offset, limit);
          return json({ total, offset, limit, letters: some.map(letterJson) });
        }),
    },
    {
      method: 'POST',
      path: `${PATH}/replay`,
      handle: ({ body }) =>
        answer(desk(), async (letters) => {
          const { replayed, superseded, kept } = await letters.settle('replay', filterInBody(body));
          return json({ replayed, superseded, kept });
        }),
    },
    {
      method: 'DELETE',
      path: PATH,
      handle: ({ query }) =>
        answer(desk(), async (letters) => {
          const { dropped } = await letters.settle(
            'drop',
            required(filterInQuery(query, ['all']), query.get('all')),
          );
          return json({ dropped });
        }),
    },
  ];
}

/** The question cannot be answered as it is; the message says what to ask instead. */
class Misasked extends Error {}

async function answer(
  desk: DeadLetterDesk | undefined,
  handle: (desk: DeadLetterDesk) => Promise<Answer>,
): Promise<Answer> {
  if (!desk) return STARTING;
  try {
    return await handle(desk);
  } catch (error) {
    if (error instanceof Misasked) return failure(400, error.message);
    if (error instanceof DeadLetterError) return json({ error: error.message, ...error.done }, 503);
    throw error;
  }
}

function listQuestion(query: URLSearchParams) {
  return {
    filter: filterInQuery(query, ['limit', 'offset']),
    limit: integer('limit', query.get('limit') ?? DEFAULT_LIMIT, 1, MAX_LIMIT),
    offset: integer('offset', query.get('offset') ?? 0, 0, MAX_OFFSET),
  };
}

const FIELDS = ['modid', 'cmdid', 'caller', 'code'];

/** A name that is mistyped must not make the filter mean more. */
function filterInQuery(query: URLSearchParams, others: readonly string[]): DeadLetterFilter {
  const known = [...FIELDS, ...others];
  for (const name of query.keys()) {
    if (!known.includes(name)) throw new Misasked(`${name} is unknown; there are ${known.join(', ')}`);
    if (query.getAll(name).length > 1) throw new Misasked(`${name} is given twice`);
  }
  return filterOf(Object.fromEntries(query));
}

function filterInBody(body: unknown): DeadLetterFilter {
  if (typeof body !== 'object' || Array.isArray(body))
    throw new Misasked('the body is to be a JSON object, such as {"modid":1} or {"all":true}');
  const fields: Readonly<Record<string, unknown>> = { ...body };
  const known = [...FIELDS, 'all'];
  for (const name of Object.keys(fields))
    if (!known.includes(name)) throw new Misasked(`${name} is unknown; there are ${known.join(', ')}`);
  return required(filterOf(fields), fields['all']);
}

function filterOf({ modid, cmdid, caller, code }: Readonly<Record<string, unknown>>): DeadLetterFilter {
  const ip = typeof caller === 'string' ? parseIpv4(caller) : undefined;
  if (caller !== undefined && ip === undefined)
    throw new Misasked('caller is to be an address such as 10.0.0.9');
  if (code !== undefined && typeof code !== 'string') throw new Misasked('code is to be a text');
  return {
    ...(modid === undefined ? {} : { modid: integer('modid', modid, -0x80000000, 0x7fffffff) }),
    ...(cmdid === undefined ? {} : { cmdid: integer('cmdid', cmdid, -0x80000000, 0x7fffffff) }),
    ...(ip === undefined ? {} : { caller: ip }),
    ...(code === undefined ? {} : { code }),
  };
}

/** Everything is meant only when that is said. */
function required(filter: DeadLetterFilter, all: unknown): DeadLetterFilter {
  if (all !== undefined && all !== null && ![true, false, 'true', 'false'].includes(all as string))
    throw new Misasked('all is to be true or false');
  const isAll = all === true || all === 'true';
  if (isRestricted(filter) && isAll) throw new Misasked('a filter and all contradict each other');
  if (!isRestricted(filter) && !isAll)
    throw new Misasked(
      'this means every dead letter: name some by modid, cmdid, caller or code, or say all=true',
    );
  return filter;
}

function integer(name: string, value: unknown, min: number, max: number): number {
  const number = typeof value === 'string' && /^-?\d{1,10}$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isInteger(number) && number >= min && number <= max) return number;
  throw new Misasked(`${name} is to be an integer from ${min} to ${max}`);
}
