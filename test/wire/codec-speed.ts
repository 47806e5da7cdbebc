// Compares protobufjs's reflected codec, to message objects, with the reader that the service uses, to packed rows:
//   npm run build && node dist/test/wire/codec-speed.js
import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import type { Report } from '../../src/model/report.js';
import { RowBuffer } from '../../src/model/rowbuffer.js';
import { encodeReport, ReportDecoder } from '../../src/wire/messages.js';

const REPORTS = 2000;
const ROWS_A_REPORT = 50;
const ROUNDS = 21;

/** Reports as agents send them: private addresses, which are negative, ports, counters of a window. */
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

const proto = readFileSync(new URL('../../../proto/lars.proto', import.meta.url), 'utf8');
const reportType = protobuf.parse(proto).root.lookupType('lars.ReportStatusRequest');
const rows = new RowBuffer(REPORTS * ROWS_A_REPORT);
const reader = new ReportDecoder();

const contenders = {
  reflected: () => {
    let decoded = 0;
    for (const body of bodies) decoded += (reportType.decode(body) as unknown as Report).results.length;
    return decoded;
  },
  reader: () => {
    rows.length = 0;
    for (const body of bodies) reader.decode(body, 0, body.length, rows, 0);
    return rows.length;
  },
};
const names = Object.keys(contenders) as (keyof typeof contenders)[];
const rates: Record<keyof typeof contenders, number[]> = { reflected: [], reader: [] };

for (let round = -3; round < ROUNDS; round++) {
  // Turn by turn, so that whatever else the machine does falls on both.
  for (const name of round % 2 === 0 ? names : names.toReversed()) {
    const began = performance.now();
    const decoded = contenders[name]();
    const seconds = (performance.now() - began) / 1000;
    if (decoded !== REPORTS * ROWS_A_REPORT) throw new Error(`${name} decoded ${decoded} rows`);
    // The first rounds warm up.
    if (round >= 0) rates[name].push(decoded / seconds);
  }
}

const median = (of: readonly number[]) => of.toSorted((a, b) => a - b)[of.length >> 1]!;
const million = (rate: number) => `${(rate / 1e6).toFixed(1)} million rows/s`;
process.stdout.write(
  `reflected ${million(median(rates.reflected))}, reader ${million(median(rates.reader))}, ` +
    `ratio ${(median(rates.reader) / median(rates.reflected)).toFixed(2)} ` +
    `(medians of ${ROUNDS} interleaved rounds, ${REPORTS} reports of ${ROWS_A_REPORT} rows)\n`,
);
