/**
 * Compiled, never run: by the build, and by the test of the package against the types that are shipped. Each line that is
 * marked must be an error for those who embed the reporter.
 */
import { createServer } from 'node:http';
import test from 'node:test';
import {
  type ConfigInput,
  type EndReason,
  type HandledFrame,
  type Handlers,
  type Ledger,
  type ReporterEvent,
  type Row,
  type Store,
  startReporter,
} from 'lars-reporter';
import { startAgent } from 'lars-reporter/client';
import { FaultyStore, MemoryStore, storeContract } from 'lars-reporter/testing';
import { decodeRouteRequest, MessageId } from 'lars-reporter/wire';
import { type Ref, spawn, start } from 'nact';

export async function configured(): Promise<ConfigInput> {
  const config: ConfigInput = {
    listen: { port: 0 },
    store: { url: 'embedded:store' },
    names: { '1/2': 'list' },
  };
  // @ts-expect-error: a key that is none
  const misspelt: ConfigInput = { listen: { prot: 1 } };
  // @ts-expect-error: a value of another type
  const mistyped: ConfigInput = { writers: { count: 'four' } };
  // @ts-expect-error: the configuration must be there
  await startReporter();
  return { ...config, ...misspelt, ...mistyped };
}

export async function used(config: ConfigInput): Promise<void> {
  await using reporter = await startReporter(config, { signal: AbortSignal.timeout(1000), ownHttp: false });
  const ledger: Ledger = reporter.ledger();
  const balanced: boolean = ledger.balanced;
  const { drained, pending }: { drained: boolean; pending: number } = await reporter.drain();
  const reason: EndReason = await reporter.ended;
  // @ts-expect-error: no reason of ours
  const other: EndReason = 'bored';
  // @ts-expect-error: a report without its hosts
  await reporter.report({ modid: 1, cmdid: 2, caller: 3, ts: 4 });
  // @ts-expect-error: what it tells is not to be changed
  reporter.ledger().received = 1;
  createServer((request, response) =>
    reporter.handle(request, response, { base: '/reporter', role: 'view' }),
  );
  // @ts-expect-error: no role of ours
  createServer((request, response) => reporter.handle(request, response, { role: 'root' }));
  void [balanced, drained, pending, reason, other];
}

export function underActors(config: ConfigInput): Promise<unknown> {
  const system = start();
  const routes: Ref<HandledFrame> = spawn(system, (_state: undefined, frame: HandledFrame) => {
    frame.reply(MessageId.getRouteResponse, frame.body);
  });
  const handlers: Handlers = {
    [MessageId.getRouteRequest]: routes,
    77: ({ id, body, peer, reply }) => {
      const text: string = peer;
      reply(id, body);
      void [decodeRouteRequest(body).modid, text];
    },
    78: async ({ body }) => void body.length,
  };
  // @ts-expect-error: a handler of something else
  const wrong: Handlers = { 79: (frame: string) => void frame };
  // @ts-expect-error: a system is named by its reference
  void startReporter(config, { system: 'lars' });
  return startReporter(config, { system, handlers: { ...handlers, ...wrong } });
}

export function told(event: ReporterEvent): string {
  switch (event.type) {
    case 'writer-crashed':
      return `${event.partition} ${event.error.message} ${event.pauseMs}`;
    case 'handler-slow':
      return `${event.peer} ${event.afterMs}`;
    // @ts-expect-error: no event of ours
    case 'nothing':
      return '';
    default:
      // @ts-expect-error: only crashes have a pause
      return event.pauseMs;
  }
}

export const store: Store = {
  description: 'rows',
  open: async () => {},
  check: async () => {},
  close: async () => {},
  writer: ({ partition }) => ({
    upsert: async (rows) => {
      for (const row of rows) {
        const { modid, overload }: Row = row;
        void [partition, modid, overload];
      }
    },
    close: async () => {},
  }),
};
// @ts-expect-error: a store without writers
export const broken: Store = {
  description: '',
  open: async () => {},
  check: async () => {},
  close: async () => {},
};

storeContract(test, () => ({ store: () => new FaultyStore({ inner: new MemoryStore() }) }));
// @ts-expect-error: what is made is a place, not a store
storeContract(test, () => new MemoryStore());

const agent = startAgent({ host: '127.0.0.1', port: 1 });
const sent: number = agent.counts.sent;
// @ts-expect-error: the port must be there
startAgent({ host: '127.0.0.1' });
void sent;
