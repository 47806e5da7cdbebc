import {
  type DeadLetterDesk,
  DeadLetterError,
  type DeadLetterFilter,
  isRestricted,
  letterJson,
} from '../model/dead-letter.js';
import { parseIpv4 } from '../model/ipv4.js';
import { answering, checkNames, integerOf, Misasked } from './questions.js';
import { type Answer, json, type Route, STARTING } from './route.js';

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

async function answer(
  desk: DeadLetterDesk | undefined,
  handle: (desk: DeadLetterDesk) => Promise<Answer>,
): Promise<Answer> {
  if (!desk) return STARTING;
  try {
    return await answering(() => handle(desk));
  } catch (error) {
    if (error instanceof DeadLetterError) return json({ error: error.message, ...error.done }, 503);
    throw error;
  }
}

function listQuestion(query: URLSearchParams) {
  return {
    filter: filterInQuery(query, ['limit', 'offset']),
    limit: integerOf('limit', query.get('limit') ?? DEFAULT_LIMIT, 1, MAX_LIMIT),
    offset: integerOf('offset', query.get('offset') ?? 0, 0, MAX_OFFSET),
  };
}

const FIELDS = ['modid', 'cmdid', 'caller', 'code'];

function filterInQuery(query: URLSearchParams, others: readonly string[]): DeadLetterFilter {
  checkNames(query, [...FIELDS, ...others]);
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
    ...(modid === undefined ? {} : { modid: integerOf('modid', modid, -0x80000000, 0x7fffffff) }),
    ...(cmdid === undefined ? {} : { cmdid: integerOf('cmdid', cmdid, -0x80000000, 0x7fffffff) }),
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
