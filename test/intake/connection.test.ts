import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'ava';
import { encodeReportFrame } from '../../src/client/index.js';
import { InflightBudget } from '../../src/intake/budget.js';
import type { Connection } from '../../src/intake/connection.js';
import { Gate, type GateRules } from '../../src/intake/gate.js';
import { HandlerTable } from '../../src/intake/handlers.js';
import { Listener } from '../../src/intake/listener.js';
import { Replies } from '../../src/intake/replies.js';
import { OwnTransport } from '../../src/intake/transport.js';
import { RowBuffer } from '../../src/model/row-buffer.js';
import { Traffic } from '../../src/model/traffic.js';
import { Counts } from '../../src/partition/counts.js';
import { Inbox } from '../../src/routing/inbox.js';
import { startSystem, stop } from '../../src/runtime/actors.js';
import { numberedReport, until } from '../../src/testing/index.js';
import { ReportDecoder } from '../../src/wire/messages.js';

const OPEN: GateRules = {
  ...{
    maxConnections: 10,
    allow: [],
    deny: [],
    proxyFrom: [],
    verifyCaller: 'off',
    verifyExcept: [],
    perAddress: {},
  },
};
const BOUND = { boundMs: 30_000 };

test('what was read behind a crash of its connection is nobody’s frame, and all of its memory is paid back', async (t) => {
  const system = startSystem();
  t.teardown(() => stop(system));
  const traffic = new Traffic();
  const connections = new Set<Connection>();
  const budget = new InflightBudget({ maxInflightBytes: 1_000_000 }, connections);
  const told: string[] = [];
  const events = { emit: ({ type }: { type: string }) => void told.push(type) };
  let asked = 0;
  const peerNumber = () => {
    asked++;
    if (asked === 1) throw new Error('a bug');
    return 1;
  };
  const listener = new Listener(
    system,
    new OwnTransport({ plain: { host: '127.0.0.1', port: 0 } }),
    { maxConnections: 10, peerNumber, gate: new Gate(OPEN, () => 0) },
    connections,
    {
      ...{
        inbox: new Inbox(
          () => true,
          () => true,
        ),
        budget,
        refused: new Counts(),
        traffic,
        events,
      },
      limits: { maxBodyBytes: 65_527, maxBadFrames: 3, frameTimeoutMs: 0 },
      handlers: new HandlerTable({}, traffic, events),
      replies: new Replies(),
      rows: new RowBuffer(64),
      reports: new ReportDecoder(),
    },
  );
  const {
    plain: { port },
  } = await listener.listen();
  t.teardown(() => listener.stopAccepting());
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  await once(socket, 'connect');
  // More than one read of the socket: the second one waits in the mailbox when the first one crashes.
  const frame = encodeReportFrame(numberedReport(1, 1, 10, 1));
  socket.write(Buffer.concat(Array.from({ length: Math.ceil(200_000 / frame.length) }, () => frame)));
  await until(() => told.includes('connection-closed'), { ...BOUND, what: 'the connection to be over' });
  t.true(told.includes('connection-failed'));
  t.is(asked, 1);
  t.is(traffic.frames, 1);
  t.deepEqual(traffic.framesRejected, new Traffic().framesRejected);
  t.is(budget.bytes, 0);
});
