import test from 'ava';
import { StoreError } from '../../../src/model/errors.js';
import { classifyEmbeddedError } from '../../../src/store/embedded/errors.js';

test('what is classed already stays so', (t) => {
  const error = new StoreError('too-large', 'X', 'x');
  t.is(classifyEmbeddedError(error, 'writing', 'write'), error);
});

test('an embedded store that cannot be opened needs a person, one that cannot be written may recover', (t) => {
  const thrown = Object.assign(new Error('x'), { code: 5 });
  const opening = classifyEmbeddedError(thrown, 'opening', 'open');
  t.deepEqual([opening.class, opening.code, opening.maybeApplied], ['configuration', 'EIO', false]);
  const writing = classifyEmbeddedError(thrown, 'writing', 'write');
  t.deepEqual([writing.class, writing.code, writing.maybeApplied], ['retry-slowly', 'EIO', true]);
});

test('anything thrown at all becomes a StoreError', (t) => {
  for (const thrown of [undefined, null, 'text', {}, new Error('x')])
    t.is(classifyEmbeddedError(thrown, 'writing', 'write').class, 'retry-slowly');
});
