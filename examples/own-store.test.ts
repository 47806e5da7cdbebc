/** Holds the store of `own-store.ts` to what every store must do. Run it with `node --test dist/examples/own-store.test.js`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { storeContract } from 'lars-reporter/testing';
import { JsonLinesStore } from './own-store.js';

storeContract(test, () => {
  const dir = mkdtempSync(join(tmpdir(), 'own-store-'));
  return {
    store: () => new JsonLinesStore(join(dir, 'rows')),
    remove: () => rmSync(dir, { recursive: true }),
  };
});
