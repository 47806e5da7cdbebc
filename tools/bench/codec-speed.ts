// Compares two ways from the bodies of reports to packed rows: protobufjs's reflected codec, whose message objects
// are packed afterwards, and the reader that the service uses.
//   npm run build && node dist/tools/bench/codec-speed.js
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import type { Report } from '../../src/model/report.js';
import * as row from '../../src/model/row.js';
import { RowBuffer } from '../../src/model/row-buffer.js';
import { encodeReport, ReportDecoder } from '../../src/wire/messages.js';
import { median } from './case.js';

const REPORTS = 2000;
const ROWS_A_REPORT = 50;
const PASSES = 15;
const ROUNDS = 7;

/** Reports as agents send them: private addresses, some of them negative, ports, counters of a window. */
const bodies = Array.from({ length: REPORTS }, (_, report) =>
  encodeReport({
    modid: report % 500,
    cmdid: report % 7,
    caller: 0xc0a80001 + (report % 1000),
    ts: 1_795_331_890 + report,
    results: Array.from({ length: ROWS_A_REPORT }, (_, host) => ({
      ip: (host % 2 === 0 ? 0x0a000001 : 0xc0a80001) + host,
      port: 8000 + host,
      succ: (report * 31 + host * 17) % 20_000,
      err: host % 5 === 0 ? host : 0,
      overload: host % 10 === 0,
    })),
  }),
);
const rows = new RowBuffer(REPORTS * ROWS_A_REPORT);

function reflected(): () => void {
  const proto = readFileSync(new URL('../../../proto/lars.proto', import.meta.url), 'utf8');
  const type = protobuf.parse(proto).root.lookupType('lars.ReportStatusRequest');
  return () => {
    for (const body of bodies) {
      const { modid, cmdid, caller, ts, results } = type.decode(body) as unknown as Report;
      for (const { ip, port, succ, err, overload } of results) {
        const at = rows.next();
        const { words } = rows;
        words[at + row.MODID] = modid;
        words[at + row.CMDID] = cmdid;
        words[at + row.IP] = ip;
        words[at + row.PORT] = port;
        words[at + row.CALLER] = caller;
        words[at + row.SUCC] = Math.min(succ, row.MAX_COUNTER);
        words[at + row.ERR] = Math.min(err, row.MAX_COUNTER);
        words[at + row.TS] = ts;
        words[at + row.TAG] = overload ? 1 : 0;
        words[at + row.SINCE] = 0;
      }
    }
  };
}

function reader(): () => void {
  const decoder = new ReportDecoder();
  return () => {
    for (const body of bodies) decoder.decode(body, 0, body.length, rows, 0);
  };
}

const contenders = { reflected, reader };
type Contender = keyof typeof contenders;

/** Rows a second, when the machine is warm. */
function measure(name: Contender): number {
  const run = contenders[name]();
  const rates: number[] = [];
  for (let pass = -5; pass < PASSES; pass++) {
    rows.length = 0;
    const began = performance.now();
    run();
    if (pass >= 0) rates.push((rows.length * 1000) / (performance.now() - began));
  }
  return median(rates);
}

function main(): void {
  const rates: Record<Contender, number[]> = { reflected: [], reader: [] };
  // Turn by turn, so that whatever else the machine does falls on both; each in a process of its own, because they
  // share protobufjs's reader, which V8 would optimise for both at once.
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of round % 2 === 0
      ? (['reflected', 'reader'] as const)
      : (['reader', 'reflected'] as const)) {
      const said = execFileSync(process.execPath, [fileURLToPath(import.meta.url), name], {
        encoding: 'utf8',
      });
      rates[name].push(Number(said));
    }
  }
  const million = (name: Contender) => (median(rates[name]) / 1e6).toFixed(1);
  const ratio = (median(rates.reader) / median(rates.reflected)).toFixed(2);
  process.stdout.write(
    `reflected ${million('reflected')}, reader ${million('reader')} million rows/s, ratio ${ratio}\n`,
  );
}

const asked = process.argv[2];
if (asked === 'reflected' || asked === 'reader') process.stdout.write(String(measure(asked)));
else main();
