import test from 'ava';
import fc from 'fast-check';
import { Telling } from '../../../src/cli/incidents/telling.js';
import type { Incident } from '../../../src/view/shapes.js';

const iso = (second: number) => new Date(1_795_744_800_000 + second * 1000).toISOString();

const incident = (id: number, began: number, ended: number | null): Incident => ({
  ...{ id, kind: 'host', modid: 1, cmdid: 2, host: '10.0.0.1:80', began: iso(began) },
  ...{ ended: ended === null ? null : iso(ended), peakHot: 1, callers: 2, relapses: 0 },
  ...{ before: { calls: 1, errors: 0 }, firstCaller: null },
});

test('whenever somebody looks, and whenever the program starts anew: each begin and each end is told once, the begin first', (t) => {
  const lives = fc.array(
    fc.record({ began: fc.integer({ min: 0, max: 50 }), lasted: fc.integer({ min: 0, max: 50 }) }),
    { maxLength: 12 },
  );
  const looks = fc.array(fc.record({ at: fc.integer({ min: 0, max: 100 }), isAnew: fc.boolean() }));
  fc.assert(
    fc.property(lives, looks, (all, when) => {
      let telling = new Telling();
      const told: string[] = [];
      for (const { at, isAnew } of [...when.sort((a, b) => a.at - b.at), { at: 101, isAnew: false }]) {
        if (isAnew) telling = new Telling(JSON.parse(JSON.stringify(telling.told)));
        const found = all.flatMap(({ began, lasted }, id) =>
          began > at ? [] : [incident(id, began, began + lasted <= at ? began + lasted : null)],
        );
        for (const event of telling.news(found)) {
          telling.tell(event);
          told.push(`${event.incident.id} ${event.event}`);
        }
        telling.forget(found);
      }
      t.deepEqual([...told].sort(), all.flatMap((_, id) => [`${id} began`, `${id} ended`]).sort());
      for (const id of all.keys()) t.true(told.indexOf(`${id} began`) < told.indexOf(`${id} ended`));
    }),
    { numRuns: 300 },
  );
});

test('news of one look come in the order in which they happened', (t) => {
  const news = new Telling().news([incident(2, 30, 40), incident(1, 10, 60)]);
  t.deepEqual(
    news.map(({ event, at, incident: { id } }) => [event, at, id]),
    [
      ['began', iso(10), 1],
      ['began', iso(30), 2],
      ['ended', iso(40), 2],
      ['ended', iso(60), 1],
    ],
  );
});
