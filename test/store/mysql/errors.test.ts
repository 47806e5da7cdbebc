import test from 'ava';
import { StoreError, type StoreErrorClass } from '../../../src/model/errors.js';
import { classifyMysqlError } from '../../../src/store/mysql/errors.js';

const answered: Record<StoreErrorClass, readonly number[]> = {
  retry: [1040, 1047, 1053, 1180, 1205, 1213, 1317, 1927, 1969, 3024, 3168, 3169, 4031, 4081, 4082],
  'retry-slowly': [1021, 1114, 1226, 1290, 1836, 3032, 3100, 1105, 9999],
  'too-large': [1153, 1390],
  poison: [1048, 1264, 1265, 1292, 1366, 1406, 1452, 1644, 3819, 4025],
  configuration: [1044, 1045, 1049, 1054, 1142, 1146, 3118, 3159, 3955, 4151],
};

for (const [errorClass, numbers] of Object.entries(answered) as [StoreErrorClass, readonly number[]][])
  for (const errno of numbers)
    test(`server error ${errno} is ${errorClass}`, (t) => {
      const thrown = Object.assign(new Error('said so'), { errno, code: 'ER_X', sqlState: 'HY000' });
      t.is(classifyMysqlError(thrown, 'upsert', true).class, errorClass);
    });

for (const code of [
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'PROTOCOL_CONNECTION_LOST',
])
  test(`${code} is retry, and the statement may have been applied once it was sent`, (t) => {
    // The system's numbers are below zero, and are none of the server's.
    const thrown = () => Object.assign(new Error('gone'), { code, errno: -111, fatal: true });
    const { class: errorClass, code: shown, maybeApplied } = classifyMysqlError(thrown(), 'upsert', true);
    t.deepEqual(
      { errorClass, shown, maybeApplied },
      { errorClass: 'retry', shown: code, maybeApplied: true },
    );
    t.false(classifyMysqlError(thrown(), 'connecting', false).maybeApplied);
  });

test('a statement the server refused was not applied, one it gave up in its middle may have been', (t) => {
  const thrown = (errno: number) => Object.assign(new Error('x'), { errno });
  t.false(classifyMysqlError(thrown(1213), 'upsert', true).maybeApplied);
  t.false(classifyMysqlError(thrown(1264), 'upsert', true).maybeApplied);
  t.true(classifyMysqlError(thrown(1317), 'upsert', true).maybeApplied);
});

test('a command on a connection that was lost before is retry', (t) => {
  const thrown = Object.assign(new Error("Can't add new command when connection is in closed state"), {
    fatal: true,
  });
  t.is(classifyMysqlError(thrown, 'upsert', true).class, 'retry');
});

test('a failure of anything but the rows’ own statement blames no row', (t) => {
  for (const errno of [1153, 1264, 1366, 1390, 1644, 3819, 4025, 9999]) {
    const thrown = Object.assign(new Error('x'), { errno });
    const error = classifyMysqlError(thrown, 'connecting', false);
    t.is(error.class, 'retry-slowly', `${errno}`);
    t.false(error.mayBeOneRow, `${errno}`);
  }
});

test('a refusal for a known reason that is not a row’s is never searched for one', (t) => {
  for (const errno of [1226, 3032, 3100]) {
    const thrown = Object.assign(new Error('x'), { errno });
    t.false(classifyMysqlError(thrown, 'upsert', true).mayBeOneRow, `${errno}`);
  }
});

test('what took too long may fit with fewer rows; nothing else is told so', (t) => {
  const isTooSlow = (thrown: object) => classifyMysqlError(thrown, 'upsert', true).tooSlow;
  for (const errno of [1205, 1969, 3024]) t.true(isTooSlow({ errno }), `${errno}`);
  t.true(isTooSlow({ code: 'PROTOCOL_SEQUENCE_TIMEOUT', fatal: true }));
  for (const errno of [1213, 1317, 1264, 1040]) t.false(isTooSlow({ errno }), `${errno}`);
  t.false(isTooSlow({ code: 'ECONNREFUSED', errno: -111 }));
});

test('what a person can do stands in the message', (t) => {
  const said = (fields: object) =>
    classifyMysqlError(Object.assign(new Error('x'), fields), 'connecting', false).message;
  t.regex(said({ errno: 3159 }), /encrypted connections only/);
  t.regex(said({ errno: 3955 }), /unlock the account/);
  t.regex(said({ errno: 1045 }), /password.*TLS/);
  t.regex(said({ code: 'AUTH_SWITCH_PLUGIN_ERROR' }), /caching_sha2_password or mysql_native_password/);
});

test('the rows of the failed statement do not hang on the error', (t) => {
  const thrown = Object.assign(new Error('x'), { errno: 1213, sql: 'INSERT INTO …' });
  t.false('sql' in (classifyMysqlError(thrown, 'upsert', true).cause as object));
});

test('a refused host of two addresses has a message', (t) => {
  const thrown = Object.assign(new AggregateError([], ''), { code: 'ECONNREFUSED' });
  t.is(classifyMysqlError(thrown, 'connecting', false).message, 'connecting: ECONNREFUSED');
});

test('numbers of MariaDB do not get the names MySQL has for them', (t) => {
  const thrown = Object.assign(new Error('x'), {
    errno: 4025,
    code: 'ER_INNODB_AUTOEXTEND_SIZE_OUT_OF_RANGE',
  });
  t.is(classifyMysqlError(thrown, 'upsert', true).code, 'ER_CONSTRAINT_FAILED');
});

test('what is classed already stays so', (t) => {
  const error = new StoreError('too-large', 'X', 'x');
  t.is(classifyMysqlError(error, 'upsert', true), error);
});

test('anything thrown at all becomes a StoreError', (t) => {
  for (const thrown of [undefined, null, 'text', {}, new Error('x')])
    t.is(classifyMysqlError(thrown, 'upsert', true).class, 'retry-slowly');
});
