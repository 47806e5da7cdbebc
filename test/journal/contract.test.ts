import { openJournal } from '../../src/journal/open.js';
import { tempDir } from '../support/temp.js';
import { testJournalContract } from './contract.js';
import { MemoryDisk, MemoryJournal } from './memory-journal.js';

testJournalContract({
  name: 'lmdb',
  hasRelayout: true,
  fresh: (t) => {
    const dir = tempDir(t);
    return (options) => openJournal({ dir, ...options });
  },
});

// Shows that the contract asks for nothing that only lmdb, or only one machine, could give.
testJournalContract({
  name: 'memory',
  hasRelayout: false,
  fresh: () => {
    const disk = new MemoryDisk();
    return async (options) => new MemoryJournal(disk, options);
  },
});
