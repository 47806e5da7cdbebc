import test from 'ava';
import { hostileStream } from '../../src/testing/streams.js';
import { HostileService } from '../../tools/fuzz/hostile-service.js';
import { tempDir } from '../support/temp.js';

const seed = Number(process.env['LARS_TEST_SEED'] ?? Date.now() & 0x7fffffff);

test('a reporter makes of hostile streams just what the reference does, its neighbour never notices, nothing is left behind', async (t) => {
  t.log(`seed ${seed} (set LARS_TEST_SEED to repeat another one)`);
  const dir = tempDir(t);
  // What a process opens once and keeps is opened here.
  await (await HostileService.start(`${dir}/first`)).stop();
  const service = await HostileService.start(`${dir}/journal`);
  let found: string | undefined;
  for (let wave = 0; wave < 20 && found === undefined; wave++) {
    const streams = Array.from({ length: 32 }, (_, index) => hostileStream(seed + wave * 32 + index));
    found = await service.run(streams);
    if (found !== undefined) t.log(`in streams ${streams[0]!.seed} to ${streams.at(-1)!.seed}`);
  }
  const left = await service.stop();
  t.is(found, undefined);
  t.is(left, undefined);
});
