'use strict'

// Ways to break the seam, each in one place, and the tests that must see it.

/**
 * @typedef {object} Mutation
 * @property {string} name
 * @property {string} what is broken
 * @property {string} file
 * @property {string} from as it is, once in the file
 * @property {string} to
 * @property {string[]} tests specs without their ending, or filters of cargo test
 * @property {string} [rust] the package whose Rust tests these are
 */

/** @type {Mutation[]} */
const mutations = [
  {
    name: 'J01',
    what: 'what does not fit into one drain is not drained',
    file: 'lib/native/drain.js',
    from: 'if (result >= MORE) later(drain)',
    to: '',
    tests: ['fake-timers', 'settle-matrix']
  },
  {
    name: 'J02',
    what: 'a drain in a drain begins anew',
    file: 'lib/native/drain.js',
    from: 'if (unread === 0) {',
    to: 'if (true) {',
    tests: ['progress-listeners', 'reentrancy-listeners']
  },
  {
    name: 'J03',
    what: 'the start of another task is taken for that of this one',
    file: 'lib/native/drain.js',
    from: 'else if (call?.generation === length) guarded',
    to: 'else if (call !== undefined) guarded',
    tests: ['channels', 'observed-ways']
  },
  {
    name: 'J04',
    what: 'the place of the next record is kept only when this one is done',
    file: 'lib/native/drain.js',
    from: '  unread--\n  next = offset\n',
    to: '  next = offset\n  queueMicrotask(() => unread--)\n',
    tests: ['run']
  },
  {
    name: 'J05',
    what: 'a call is known by numbers that a getter may have changed',
    file: 'lib/pool/task/submitter.js',
    from: `    task.key = cells[CELL.KEY]
    task.generation = cells[CELL.GENERATION]
    if (this.pending > this.capacity) this.waited = true
    try {
      this.sending(worker, slot, () =>
        this.#isolates.send(worker, slot, task.generation, number, task.ticket, input, list, true)
      )
`,
    to: `    if (this.pending > this.capacity) this.waited = true
    try {
      this.sending(worker, slot, () =>
        this.#isolates.send(worker, slot, cells[CELL.GENERATION], number, task.ticket, input, list, true)
      )
      task.key = cells[CELL.KEY]
      task.generation = cells[CELL.GENERATION]
`,
    tests: ['abort', 'reentrancy-values', 'seam-settling']
  },
  {
    name: 'J06',
    what: 'results by port of tasks that were given up are kept',
    file: 'lib/pool/isolates/inbox.js',
    from: 'if (task === undefined) return\n      task.arrived',
    to: 'if (task === undefined) return void (globalThis.kept ??= []).push(message[3])\n      task.arrived',
    tests: ['abandoned']
  },
  {
    name: 'J07',
    what: 'the event loop of an isolate has no turn between tasks',
    file: 'lib/worker/loop.js',
    from: '      await nextTurn()\n',
    to: '',
    tests: ['abort', 'worker-life', 'threads', 'scripts']
  },
  {
    name: 'J08',
    what: 'tasks in the places of those that wait never hear that they are given up',
    file: 'lib/worker/context.js',
    from: '    use(array)\n',
    to: '    use(undefined)\n',
    tests: ['nested']
  },
  {
    name: 'J09',
    what: 'an isolate that posts to a blocked owner says nothing',
    file: 'lib/worker/nested.js',
    from: '    bound.look()\n    /** @type {Nested} */\n',
    to: '    /** @type {Nested} */\n',
    tests: ['seam-interrupted']
  },
  {
    name: 'J11',
    what: 'the number of an object is off by one',
    file: 'lib/payload/encode.js',
    from: 'putHead(T.REF, number)',
    to: 'putHead(T.REF, number + 1)',
    tests: ['payload']
  },
  {
    name: 'J13',
    what: 'a deadline that is over is none',
    file: 'lib/pool/task/submitter.js',
    from: 'Math.max(0, deadline - Date.now())',
    to: 'deadline - Date.now()',
    tests: ['timeouts']
  },
  {
    name: 'J14',
    what: 'a call that could not be sent is not taken back',
    file: 'lib/pool/task/submitter.js',
    from: 'if (this.#pool.undo(worker, slot, task.generation)) throw error',
    to: 'throw error',
    tests: ['payload', 'transfer', 'reentrancy-values']
  },
  {
    name: 'J15',
    what: 'the listener of a signal stays',
    file: 'lib/pool/task/abort.js',
    from: '      subscriptions.get(signal)?.()\n',
    to: '',
    tests: ['abort']
  },
  {
    name: 'J16',
    what: 'a blocking call does not look first at what has come',
    file: 'lib/pool/calls/run-sync.js',
    from: '    isolates.catchUp()\n',
    to: '',
    tests: ['run-sync']
  },
  {
    name: 'J18',
    what: "a program's own `then` is called when the function of a task has been found",
    file: 'lib/worker/loop.js',
    from: '  return follow(\n    lookUp(target),\n',
    to: '  return lookUp(target).then(\n',
    tests: ['seam-settling']
  },
  {
    name: 'J19',
    what: "somebody else's promise is taken for one of Node.js'",
    file: 'lib/worker/promised.js',
    from: 'if (then === promiseThen && types.isPromise(value)) return value',
    to: 'return { then: (a, b) => value.then(a, b) }',
    tests: ['reentrancy-workers']
  },
  {
    name: 'J20',
    what: 'an input that cannot be sent ends more than its own task',
    file: 'lib/pool/isolates/index.js',
    from: 'if (this.owner.native.cancel(task.key, task.generation)) task.refuse(error)',
    to: 'throw error',
    tests: ['second-serialisation']
  },
  {
    name: 'J21',
    what: 'any value may be the key of an object that is decoded',
    file: 'lib/payload/decode.js',
    from: "if (typeof key !== 'string' && typeof key !== 'number') throw new Error('corrupt payload')",
    to: '',
    tests: ['fuzz']
  },
  {
    name: 'J22',
    what: 'an emitter takes the listener away before it is called',
    file: 'lib/pool/task/abort.js',
    from: "emitter.on('abort', heard)",
    to: "emitter.once('abort', heard)",
    tests: ['reentrancy-listeners']
  },
  {
    name: 'J23',
    what: 'the tasks of a signal are aborted in the order in which they were called',
    file: 'lib/pool/task/abort.js',
    from: 'for (let i = all.length - 1; i >= 0; i--)',
    to: 'for (let i = 0; i < all.length; i++)',
    tests: ['abort']
  },
  {
    name: 'J24',
    what: 'a value that is decoded within another spoils that one',
    file: 'lib/payload/decode.js',
    from: 'const outer = isDecoding ? state() : undefined',
    to: 'const outer = /** @type {ReturnType<typeof state> | undefined} */ (undefined)',
    tests: ['seam-interrupted']
  },
  {
    name: 'J25',
    what: 'notices are replaced while a value in them is being decoded',
    file: 'lib/native/drain.js',
    from: 'if (isDecoding) return drainAside()',
    to: '',
    tests: ['seam-interrupted']
  },
  {
    name: 'J26',
    what: 'a new ticket is given out twice, by an accessor for the elements of arrays',
    file: 'lib/native/environment.js',
    from: 'put(calls, ticket, call)',
    to: 'calls[ticket] = call',
    tests: ['seam-interrupted']
  },
  {
    name: 'J27',
    what: 'getters in a result run for whichever task ran last',
    file: 'lib/worker/loop.js',
    from: 'else within(task, handOver, value)',
    to: 'else handOver(task, value)',
    tests: ['seam-interrupted']
  },
  {
    name: 'J29',
    what: 'the size of an input is measured by a method that a program may have replaced',
    file: 'lib/payload/values.js',
    from: 'if (isArray(extra)) return',
    to: 'if (Array.isArray(extra)) return',
    tests: ['seam-built-ins']
  },
  {
    name: 'R01',
    what: 'what is due at a time that has come waits for a turn of the wheel',
    file: 'src/scheduler/wheel.rs',
    from: 'tick: tick.max(self.present + 1)',
    to: 'tick: tick.max(1)',
    tests: ['scheduler::wheel'],
    rust: 'rspool'
  },
  {
    name: 'R03',
    what: 'a worker that joins is not told that a task of its has been given up',
    file: 'src/scheduler/state/life.rs',
    from: 'joined.cancels.extend(self.abandon(index, now))',
    to: 'let _ = self.abandon(index, now)',
    tests: ['scheduler'],
    rust: 'rspool'
  },
  {
    name: 'R06',
    what: 'a pool keeps a token of the budget too many',
    file: 'src/scheduler/share.rs',
    from: 'while self.tokens > busy.saturating_sub(1) {',
    to: 'while self.tokens > busy {',
    tests: ['scheduler'],
    rust: 'rspool'
  },
  {
    name: 'R10',
    what: 'the failures to start are never forgotten',
    file: 'src/scheduler/state/life.rs',
    from: '                self.lanes[Lane::Script].failures = 0;\n',
    to: '',
    tests: ['scheduler'],
    rust: 'rspool'
  },
  {
    name: 'R11',
    what: 'a bell is answered for one reason only',
    file: 'src/scheduler/bell.rs',
    from: 'self.rung.swap(0, SeqCst)',
    to: 'self.rung.fetch_and(!1, SeqCst)',
    tests: ['scheduler::bell'],
    rust: 'rspool'
  },
  {
    name: 'R12',
    what: 'a worker takes tasks in the place of one that was given up, and that it may be ended for',
    file: 'src/scheduler/state/give_up.rs',
    from: '        self.set_waits(worker, slot, false, now);\n',
    to: '        let _ = (worker, slot, now);\n',
    tests: ['scheduler'],
    rust: 'rspool'
  },
  {
    name: 'R13',
    what: 'the owner hears that an isolate is ready after what it has done',
    file: 'src/scheduler/pool/exchange.rs',
    from: `        if joined.is_ready {
            self.control(Control::Ready(id));
        }
        self.send_all(joined.begun);
`,
    to: `        self.send_all(joined.begun);
        if joined.is_ready {
            self.control(Control::Ready(id));
        }
`,
    tests: ['scheduler::tests::told'],
    rust: 'rspool'
  },
  {
    name: 'R14',
    what: 'a task of a plugin may have no name',
    file: 'crates/task/src/shim.rs',
    from: 'name.len() < prefix.len() + 2',
    to: 'name.len() < prefix.len() + 1',
    tests: ['shim'],
    rust: 'rspool-task'
  }
]

module.exports = { mutations }
