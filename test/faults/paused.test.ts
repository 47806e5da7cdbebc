import test from 'ava';
import { encodeReportFrame } from '../../src/client/index.js';
import { HostileAgent } from '../../src/testing/hostile-agent.js';
import { numberedReport, until } from '../../src/testing/index.js';
import { startServe } from '../../tools/shared/process.js';
import { tempDir } from '../support/temp.js';

const FRAME_TIMEOUT_MS = 300;
const BOUND = { boundMs: 30_000 };

test('a process that stood still for longer than a frame may stay incomplete does not close the connection for it', async (t) => {
  const dir = tempDir(t);
  const { cli, ready } = await startServe([], {
    env: {
      LARS_LISTEN_HOST: '127.0.0.1',
      LARS_LISTEN_PORT: '0',
      LARS_LISTEN_FRAME_TIMEOUT_MS: String(FRAME_TIMEOUT_MS),
      LARS_ADMIN_PORT: '0',
      LARS_JOURNAL_DIR: `${dir}/journal`,
      LARS_STORE_URL: `embedded:${dir}/store`,
    },
    cwd: dir,
  });
  t.teardown(() => cli.stop('SIGKILL'));
  const traffic = async () => {
    const answer = await fetch(`http://127.0.0.1:${ready.admin!.port}/api/status`);
    const { traffic } = (await answer.json()) as { traffic: { bytes: number; reports: number } };
    return traffic;
  };
  const agent = await HostileAgent.connect({ port: ready.listen.port });
  t.teardown(() => agent.destroy());
  const frame = encodeReportFrame(numberedReport(0, 1, 10, 1));
  for (let round = 1; round <= 5; round++) {
    const { bytes } = await traffic();
    await agent.sendBytes(frame.subarray(0, 20));
    await until(async () => (await traffic()).bytes === bytes + 20, {
      ...BOUND,
      what: 'half a frame to be read',
    });
    process.kill(cli.readerPid, 'SIGSTOP');
    await agent.sendBytes(frame.subarray(20));
    // The clock that must not run out is the point here.
    await new Promise((resolve) => setTimeout(resolve, 2 * FRAME_TIMEOUT_MS));
    process.kill(cli.readerPid, 'SIGCONT');
    await until(async () => (await traffic()).reports === round || !agent.isOpen, {
      ...BOUND,
      what: 'the rest of it to be read',
    });
    t.true(agent.isOpen, `round ${round}: the connection goes on`);
  }
});
