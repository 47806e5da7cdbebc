import test from 'ava';
import { isCommitting } from '../../../src/store/mysql/sessions.js';

const session = (command: string, state: string) => ({ id: 7, command, seconds: 100, state });

test('a session that commits is known by its state, on every server', (t) => {
  for (const state of [
    'waiting for handler commit',
    'query end',
    'Commit',
    'Writing to binlog',
    'Waiting for semi-sync ACK from replica',
    'Waiting for semi-sync ACK from slave',
  ])
    t.true(isCommitting(session('Query', state)), state);
});

test('a session that serves a replica never counts as one that commits: it would forbid every KILL for ever', (t) => {
  for (const state of [
    'Master has sent all binlog to slave; waiting for more updates',
    'Source has sent all binlog to replica; waiting for more updates',
    'Sending binlog event to replica',
    'Finished reading one binlog; switching to next binlog',
  ])
    for (const command of ['Binlog Dump', 'Binlog Dump GTID'])
      t.false(isCommitting(session(command, state)), state);
});

test('a session that is idle, or at work, does not commit', (t) => {
  t.false(isCommitting(session('Sleep', '')));
  t.false(isCommitting(session('Query', 'User sleep')));
  t.false(isCommitting(session('Query', 'updating')));
  t.false(isCommitting(session('Daemon', 'Waiting for background binlog tasks')));
});
