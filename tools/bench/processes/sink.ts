/** The reference of H: the same sockets, frames and decoder; the rows are dropped. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { RowBuffer } from '../../../src/model/row-buffer.js';
import { FrameDecoder } from '../../../src/wire/frame.js';
import { ReportDecoder } from '../../../src/wire/messages.js';
import { serve } from '../rpc.js';

let received = 0;
const reports = new ReportDecoder();
const rows = new RowBuffer(4096);

const server = createServer({ noDelay: true }, (socket) => {
  const frames = new FrameDecoder();
  const onFrame = (_id: number, bytes: Uint8Array, start: number, end: number) => {
    received += reports.decode(bytes, start, end, rows, 0);
  };
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    frames.push(chunk, onFrame);
    rows.length = 0;
  });
});

const api = {
  async listen(): Promise<number> {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  },
  ledger(): { readonly received: number; readonly atMs: number; readonly cpuMicros: number } {
    const { user, system } = process.cpuUsage();
    return { received, atMs: performance.now(), cpuMicros: user + system };
  },
};

export type SinkApi = typeof api;
serve(api);
