import test from 'ava';
import { Logins } from '../../../src/store/mysql/logins.js';

const refusal = () =>
  Object.assign(new Error('Access denied'), { errno: 1045, code: 'ER_ACCESS_DENIED_ERROR' });

test('while the server refuses the password, few logins are tried, with growing pauses, whoever asks', async (t) => {
  const logins = new Logins({ firstMs: 60_000, lastMs: 600_000 });
  let tried = 0;
  const refused = async () => {
    tried++;
    throw refusal();
  };
  const all = await Promise.allSettled(Array.from({ length: 20 }, () => logins.attempt(refused)));
  t.true(all.every(({ status }) => status === 'rejected'));
  t.is(tried, 2);
  const error = await t.throwsAsync(logins.attempt(refused));
  t.like(error, { errno: 1045, code: 'ER_ACCESS_DENIED_ERROR' });
  t.regex(error.message, /^Access denied; the next login is tried in \d+ s/);
});

test('when the password is right again, all log in', async (t) => {
  const logins = new Logins({ firstMs: 1, lastMs: 1 });
  const refused = () => Promise.reject(refusal());
  for (let attempt = 0; attempt < 3; attempt++) await t.throwsAsync(logins.attempt(refused));
  await new Promise((resolve) => setTimeout(resolve, 5));
  t.deepEqual(await Promise.all([1, 2, 3].map((id) => logins.attempt(async () => id))), [1, 2, 3]);
});

test('failures that are no refusals make nobody wait', async (t) => {
  const logins = new Logins({ firstMs: 60_000, lastMs: 600_000 });
  for (let attempt = 0; attempt < 3; attempt++)
    await t.throwsAsync(
      logins.attempt(() => Promise.reject(new Error('connect ECONNREFUSED'))),
      {
        message: 'connect ECONNREFUSED',
      },
    );
  t.is(await logins.attempt(async () => 'in'), 'in');
});

test('a login that hangs does not keep the others waiting', async (t) => {
  const logins = new Logins();
  let end = () => {};
  const hanging = logins.attempt(() => new Promise<void>((resolve) => (end = resolve)));
  t.is(await logins.attempt(async () => 'in'), 'in');
  end();
  await hanging;
});
