import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { ViewClient } from '../../src/cli/view-client.js';

/** A client of an admin HTTP that gives these answers, one after the other, and the last one again. */
async function clientOf(t: ExecutionContext, answers: readonly [status: number, body: object][]) {
  let asked = 0;
  const server = createServer((_, response) => {
    const [status, body] = answers[Math.min(asked++, answers.length - 1)]!;
    response.writeHead(status).end(JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  return {
    client: new ViewClient({ host: '127.0.0.1', port }, undefined, undefined),
    asked: () => asked,
  };
}

test('a reporter, or its view, that is starting is asked again until it answers', async (t) => {
  const { client, asked } = await clientOf(t, [
    [503, { error: 'the reporter is starting; ask again, or watch /readyz' }],
    [503, { error: 'the view is starting; ask again in some seconds' }],
    [200, { services: [] }],
  ]);
  t.deepEqual(await client.json('/api/services', {}), { services: [] });
  t.is(asked(), 3);
});

test('a reporter that cannot answer for another reason is not waited for', async (t) => {
  const { client, asked } = await clientOf(t, [[503, { error: 'the reporter stops' }]]);
  await t.throwsAsync(client.text('/api/services', {}), { message: /answers 503: the reporter stops$/ });
  t.is(asked(), 1);
});
