import test from 'ava';
import { hostileStream } from '../../src/testing/streams.js';
import { tempDir } from '../support/temp.js';
import { HostileService } from './service.js';

const seed = Number(process.env['LARS_TEST_SEED'] ?? Date.now() & 0x7fffffff);

test('a reporter makes of hostile streams just what the reference does, its neighbour never notices, nothing is left behind', async (t) => {
  t.log(`seed ${seed} (set LARS_TEST_SEED to repeat another one)`);
  const dir = tempDir(t);
  // What a process opens once and keeps is opened here.
  await (await HostileService.start(`${dir}/first`)).stop();
  const service = await HostileService.start(`${dir}/journal`);
  for (let wave = 0; wave < 40; wave++) {
    const streams = Array.from({ length: 16 }, (_, index) => hostileStream(seed + wave * 16 + index));
    const found = await service.run(streams);
    if (found !== undefined) {
      t.fail(`streams ${streams[0]!.seed} to ${streams.at(-1)!.seed}: ${found}`);
      break;
    }
  }
  t.is(await service.stop(), undefined);
});
