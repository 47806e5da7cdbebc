import { StoreError } from '../../model/errors.js';
import { fieldsOf, textOf } from '../thrown.js';

/**
 * Classes a failure of the embedded store: whatever stops it from opening needs a person, whatever stops a
 * write later (disk full, I/O error) may pass by itself.
 */
export function classifyEmbeddedError(
  thrown: unknown,
  doing: string,
  phase: 'open' | 'write' | 'read',
): StoreError {
  if (thrown instanceof StoreError) return thrown;
  const { code, errno } = fieldsOf(thrown);
  return new StoreError(
    phase === 'open' ? 'configuration' : 'retry-slowly',
    code ?? String(errno ?? 'EMBEDDED'),
    `${doing}: ${textOf(thrown)}${phase === 'open' ? '; set store.url to a folder that can be made and used' : ''}`,
    { cause: thrown, maybeApplied: phase === 'write' },
  );
}
