import { readFileSync, writeFileSync } from 'node:fs';
import type { Site } from '../site.js';
import { type Fault, pick } from './fault.js';

const shape = { group: 'reporter', shortestMs: 100, longestMs: 800 };

/** It goes on with another process, or with the one there is. */
const HANDED_OVER =
  /handed over; every connection without TLS goes on|no hand-over; the process that reads goes on/;
/**
 * The configuration was read again, or why not. What a fault before has put back may take a hand-over: then that is what
 * there is to wait for.
 */
export const READ_AGAIN = new RegExp(
  `"outcome":"(?:in-place|unchanged)".*was read again|was not taken|is not read again|${HANDED_OVER.source}`,
);
const RESUMED = /reading on where the process before ended/;

/** Changes of the configuration, to another value each time, and what shows that they are over. */
const CHANGES: readonly [change: (config: Config, time: number) => unknown, over: RegExp][] = [
  // In place.
  [
    (config, time) => ({
      ...config,
      shutdown: { drainMs: 1501 + time },
      view: { holdS: 61 + (time % 20) },
      names: { '1': `name ${time}` },
    }),
    READ_AGAIN,
  ],
  // By a hand-over.
  [
    (config, time) => ({ ...config, writers: { ...config['writers'], maxBatchRows: 201 + (time % 50) } }),
    HANDED_OVER,
  ],
  // Not at all.
  [(config) => ({ ...config, listen: { ...config['listen'], port: 'seven' } }), READ_AGAIN],
];

type Config = Readonly<Record<string, object>>;

/** What happens to the processes behind a keeper, and to the keeper. */
export function keeperFaults({ service }: Pick<Site, 'service'>): Fault[] {
  let changes = 0;
  const over = async () => {};
  return [
    {
      ...shape,
      name: 'reader killed',
      begin: () =>
        service.exclusively(() =>
          service.change('loses', RESUMED, ({ reader }) => process.kill(reader, 'SIGKILL')),
        ),
      end: over,
    },
    {
      ...shape,
      name: 'keeper killed',
      begin: () => service.exclusively(() => service.killKeeper()),
      end: async () => void (await service.exclusively(() => service.start())),
    },
    {
      ...shape,
      name: 'handed over',
      begin: () =>
        service.exclusively(() =>
          service.change('loses nothing', HANDED_OVER, ({ keeper }) => process.kill(keeper, 'SIGUSR2')),
        ),
      end: over,
    },
    {
      ...shape,
      name: 'handed over in vain',
      begin: () =>
        service.exclusively(() =>
          withFile(service.configFile, '{ "listen": ', () =>
            service.change('loses nothing', HANDED_OVER, ({ keeper }) => process.kill(keeper, 'SIGUSR2'), [
              'error: configuration file',
            ]),
          ),
        ),
      end: over,
    },
    {
      ...shape,
      name: 'configuration changed',
      begin: (random) =>
        service.exclusively(async () => {
          const [change, isOver] = pick(CHANGES, random);
          const text = readFileSync(service.configFile, 'utf8');
          const changed = JSON.stringify(change(JSON.parse(text) as Config, ++changes));
          await withFile(service.configFile, changed, () =>
            service.change('loses nothing', isOver, ({ keeper }) => process.kill(keeper, 'SIGHUP')),
          );
        }),
      end: over,
    },
  ];
}

/** What a file holds while `use` runs. */
async function withFile(file: string, text: string, use: () => Promise<void>): Promise<void> {
  const before = readFileSync(file, 'utf8');
  writeFileSync(file, text);
  try {
    await use();
  } finally {
    writeFileSync(file, before);
  }
}
