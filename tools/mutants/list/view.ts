import type { Mutant } from '../mutant.js';

/** What people look at, beside the way of the rows. */
export const VIEW_MUTANTS: readonly Mutant[] = [
  {
    name: 'unknown-writer-of-key-forgotten',
    breaks:
      'A caller counts as shared after somebody unknown wrote its key between two reports of one machine.',
    edits: [
      {
        file: 'src/view/stored-keys.ts',
        find: 'const key = last === UNKNOWN_PEER ? this.#records.find(host, caller) : this.#of(host, caller);',
        replace: 'const key = last === UNKNOWN_PEER ? -1 : this.#of(host, caller);',
      },
    ],
    tests: [{ file: 'test/view/definitions.test', titles: ['whatever is reported*'] }],
  },
  {
    name: 'troubled-services-without-series',
    breaks: 'Of many services, one in trouble has no series, so that no alert fires.',
    edits: [
      {
        file: 'src/view/query/service-series.ts',
        find: 'known.filter(({ level }) => level >= IN_TROUBLE);',
        replace: 'known.filter(({ level }) => level > 4);',
      },
    ],
    tests: [{ file: 'test/view/service-series.test', titles: ['of too many services*'] }],
  },
  {
    name: 'series-miss-even-traffic',
    breaks: 'The counters of a service miss calls.',
    edits: [
      {
        file: 'src/view/rates.ts',
        find: 'calls[number]! += this.#callsNow[number]! * scale;',
        replace: 'calls[number]! += this.calls60[number]! * scale;',
      },
    ],
    tests: [{ file: 'test/view/service-series.test', titles: ['calls and errors only rise*'] }],
  },
  {
    name: 'stored-names-over-configured',
    breaks: 'A name of the database hides the one that the configuration gives.',
    edits: [
      {
        file: 'src/view/view-settings.ts',
        find: 'if (known.size > 0)',
        replace: 'if (byModid.size + byCmdid.size === 0)',
      },
    ],
    tests: [{ file: 'test/flow/view-api.test', titles: ['services have the names*'] }],
  },
  {
    name: 'rows-keep-old-settings',
    breaks:
      'Settings of the view that change in place hold for rows that are heard later, not for those known.',
    edits: [{ file: 'src/view/view.ts', find: 'reassessRows(state);', replace: '' }],
    tests: [{ file: 'test/view/definitions.test', titles: ['whatever is reported*'] }],
  },
  {
    name: 'shown-with-old-settings',
    breaks: 'Lists go on with the names and settings of before a reload until something else changes.',
    edits: [
      {
        file: 'src/view/view.ts',
        find: 'if (standing) standings[service] = { ...standing };',
        replace: 'if (standing === null) break;',
      },
    ],
    tests: [{ file: 'test/view/corners.test', titles: ['a name that changes*'] }],
  },
  {
    name: 'view-fed-without-copy',
    breaks: 'The view reads the memory of a batch when others write to it again.',
    edits: [
      {
        file: 'src/view/feed/view-feed.ts',
        find: 'else if (!ring.write(ROWS, partition, nowS, rows)) this.#miss(ring, partition, rows, nowS);',
        replace: 'else setImmediate(() => ring.write(ROWS, partition, nowS, rows));',
      },
    ],
    tests: [{ file: 'test/view/worker.test', titles: ['rows are copied*'] }],
  },
  {
    name: 'view-without-bound-on-hosts',
    breaks: 'A flood of hosts that one caller each knows fills the memory by way of the view.',
    edits: [
      {
        file: 'src/view/view.ts',
        find: 'return Math.max(rows.size, ROWS_A_HOST * hostsAndServices);',
        replace: 'return Math.max(rows.size, hostsAndServices);',
      },
    ],
    tests: [{ file: 'test/view/sampling.test', titles: ['hosts of few callers*'] }],
  },
  {
    name: 'dropped-rows-not-read-again',
    breaks: 'Rows that the view was too slow for are never in it, and it says that it has all.',
    edits: [
      {
        file: 'src/view/feed/view-feed.ts',
        find: 'this.#missed = new Map();\n    return missed;',
        replace: 'this.#missed = new Map();\n    return undefined;',
      },
    ],
    tests: [{ file: 'test/view/readings.test', titles: ['what was dropped*', 'whatever is journaled*'] }],
  },
  {
    name: 'stored-over-pending',
    breaks: 'What the store has of a row replaces in the view the newer value that waits for it.',
    edits: [
      {
        file: 'src/view/rows-of-table.ts',
        find: 'if ((before & CAUGHT) !== 0 && !isPending) return false;',
        replace: '',
      },
    ],
    tests: [
      {
        file: 'test/view/readings.test',
        titles: ['a view that starts*', 'what was dropped*', 'whatever is journaled*'],
      },
    ],
  },
  {
    name: 'hanging-view-stays',
    breaks: 'A thread of the view that hangs is never replaced.',
    edits: [
      {
        file: 'src/view/thread/view-thread.ts',
        find: 'this.#still = beat === this.#beat ? this.#still + 1 : 0;',
        replace: 'this.#still = 0;',
      },
    ],
    tests: [{ file: 'test/view/thread.test', titles: ['a thread that hangs*'] }],
  },
  {
    name: 'senders-not-told',
    breaks: 'The view takes machines that report a loopback address for one.',
    edits: [
      {
        file: 'src/view/feed/view-feed.ts',
        find: 'if (this.#ring) this.#untold.push(number);',
        replace: '',
      },
    ],
    tests: [{ file: 'test/view/worker.test', titles: ['reports that name a loopback address*'] }],
  },
  {
    name: 'silent-machines-forgotten',
    breaks: 'After a restart nobody knows which agents have not come back.',
    edits: [
      {
        file: 'src/view/worker/serving.ts',
        find: 'this.#view.remember(this.#file.load());',
        replace: 'this.#file.load();',
      },
    ],
    tests: [
      { file: 'test/view/thread.test', titles: ['machines that called before*'] },
      { file: 'test/flow/view.test', titles: ['after a kill*'] },
    ],
  },
  {
    name: 'relapses-before-incident',
    breaks: 'What the table tells of the time before an incident counts as a relapse of it.',
    edits: [
      {
        file: 'src/view/counters.ts',
        find: 'if (!run || heard < run.began) return;',
        replace: 'if (!run) return;',
      },
    ],
    tests: [{ file: 'test/view/corners.test', titles: ['a flag of the table*'] }],
  },
  {
    name: 'first-report-unseen',
    breaks: 'A service that was read from the table stays so in lists although it is heard.',
    edits: [
      {
        file: 'src/view/intake.ts',
        find: 'if (services.live[service] === 0) {\n      services.live[service] = 1;\n      services.markDirty(service);\n    }',
        replace: 'services.live[service] = 1;',
      },
    ],
    tests: [{ file: 'test/view/corners.test', titles: ['a service of the table*'] }],
  },
  {
    name: 'left-keys-forgotten',
    breaks: 'A shared caller is not told when one of its machines called itself otherwise for a moment.',
    edits: [
      {
        file: 'src/view/stored-keys.ts',
        find: 'if (this.#records.words[at] === 0) this.#leave(key);',
        replace: 'if (this.#records.words[at] === 0) this.#records.remove(key);',
      },
      {
        file: 'src/view/stored-keys.ts',
        find: 'if (words[base + ROWS] === 0) this.#leave(key);',
        replace: 'if (words[base + ROWS] === 0) this.#records.remove(key);',
      },
    ],
    tests: [{ file: 'test/view/corners.test', titles: ['a key that changes hands*'] }],
  },
  {
    name: 'incident-begins-anew',
    breaks:
      'After a crash an incident that goes on is another one: it begins twice, and one of them has no end.',
    edits: [
      {
        file: 'src/view/host-assessment.ts',
        find: "const earlier = state.resuming.take('host', place);",
        replace: "const earlier = hot < 0 ? state.resuming.take('host', place) : undefined;",
      },
    ],
    tests: [{ file: 'test/history/day.test' }],
  },
  {
    name: 'progress-not-kept',
    breaks: 'After a crash an incident that was over meanwhile ends when it began.',
    edits: [
      {
        file: 'src/view/worker/keeping.ts',
        find: 'if (now - this.#progressAt >= PROGRESS_S) this.#keepProgress();',
        replace: '',
      },
    ],
    tests: [{ file: 'test/history/day.test' }],
  },
  {
    name: 'gap-shown-as-zero',
    breaks: 'Minutes that nobody saw look like minutes without calls.',
    edits: [
      {
        file: 'src/view/query/show-history.ts',
        find: 'coveredS === 0 ? null : tally',
        replace: 'coveredS === 0 ? unknown : tally',
      },
    ],
    tests: [{ file: 'test/history/day.test' }],
  },
  {
    name: 'starting-thread-ended',
    breaks: 'A reporter that is stopped while its view opens the history never stops.',
    edits: [
      {
        file: 'src/view/thread/view-thread.ts',
        find: '    if (worker) {\n      // The process',
        replace: '    if (worker && this.#isUp) {\n      // The process',
      },
    ],
    tests: [{ file: 'test/view/thread.test', titles: ['a thread that only starts*'] }],
  },
  {
    name: 'blackout-with-its-hold',
    breaks: 'A blackout is told to have lasted a minute longer than anybody reported it.',
    edits: [
      {
        file: 'src/view/service-incidents.ts',
        find: 'endIncident(state, running, lastOn);',
        replace: 'endIncident(state, running, Math.max(lastOn, state.now));',
      },
    ],
    tests: [{ file: 'test/view/corners.test', titles: ['a blackout ends when*'] }],
  },
];
