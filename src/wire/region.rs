//! The words of a region: what each means, and the numbers that stand in them.
//!
//! Where the sections are is said by the region itself, see `memory::region`.

tables! {
    /// Word numbers (8 bytes each) of a seat.
    seat SEAT: usize {
        /// The process id, 0 while the seat is free.
        PID = 0;
        /// When the event loop of the process last turned, in microseconds of the monotonic clock.
        BEAT = 1;
        /// One of `SEAT_STATE`.
        STATE = 2;
        /// 1 while an inspector is open in the process.
        DEBUGGED = 3;
        /// The last request to the helper thread: its number, an argument and a kind.
        ASKED = 4;
        /// Bytes of the text that answers the last request.
        TEXT_LENGTH = 5;
        /// Requests begun.
        REQUESTS = 6;
        /// Connections open.
        CONNECTIONS = 7;
        /// Requests begun and not finished.
        IN_FLIGHT = 8;
        /// Event-loop delay, in microseconds.
        LOOP_DELAY = 9;
        /// Event-loop utilization, in millionths.
        UTILIZATION = 10;
        /// Bytes of the JavaScript heap in use.
        HEAP_USED = 11;
        /// Bytes that the JavaScript heap may reach.
        HEAP_LIMIT = 12;
        /// Bytes outside of the heap that JavaScript objects hold.
        EXTERNAL = 13;
        /// Tasks waiting in the pools of the process.
        POOL_QUEUED = 14;
        /// Tasks running in the pools of the process.
        POOL_RUNNING = 15;
        /// Responses with a status of 500 or more.
        ERRORS = 16;
        /// The last request to the helper thread that was answered: its number, and whether the answer
        /// is one, a failure, or taken.
        ANSWERED = 17;
        /// The slot of the process, plus 1; 0 for a spare.
        SLOT = 18;
        /// Which process of its slot it is.
        GENERATION = 19;
        /// Its row of cells.
        ROW = 20;
        /// When it was started, in microseconds of the monotonic clock.
        STARTED = 21;
        /// When it became ready, in microseconds of the monotonic clock; 0 before.
        READY = 22;
    }

    /// What a process says of itself in its seat.
    seat_state SEAT_STATE: i64 {
        FREE = 0;
        BOOTING = 1;
        READY = 2;
        DRAINING = 3;
    }

    /// Which of the two requests of a seat. Each has half of the bytes.
    request REQUEST: usize {
        /// The oldest in flight.
        OLDEST = 0;
        /// The last begun.
        LAST = 1;
    }

    /// Word numbers of a request of a seat.
    request_word REQUEST_WORD: usize {
        /// When it began, in microseconds of the monotonic clock; 0 for none.
        BEGAN = 0;
        /// Bytes of the text.
        LENGTH = 1;
        /// The first word of its method and URL.
        TEXT = 2;
    }

    /// Word numbers of what is known of a slot.
    slot SLOT: usize {
        /// One of `SLOT_STATE`.
        STATE = 0;
        /// Processes that the slot has had.
        GENERATION = 1;
        /// Processes that were started after one had died.
        RESTARTS = 2;
        /// When the state last changed, in microseconds of the monotonic clock.
        CHANGED = 3;
        /// Bytes of the cause.
        CAUSE_LENGTH = 4;
        /// The first word of the cause of the last death.
        CAUSE = 8;
    }

    /// What the primary says of a slot.
    slot_state SLOT_STATE: i64 {
        STOPPED = 0;
        BOOTING = 1;
        READY = 2;
        DRAINING = 3;
        BACKING_OFF = 4;
        FAILED = 5;
        STALLED = 6;
    }

    /// Word numbers of the section that all processes share.
    shared SHARED: usize {
        /// The number of rows of cells that were ever given out; readers sum only these.
        ROWS_USED = 0;
        /// How many slots there are to be.
        SIZE = 1;
        /// One of `PHASE`.
        PHASE = 2;
        /// Reloads that are done.
        RELOADED = 3;
        /// Reloads that were given up.
        RELOADS_FAILED = 4;
        /// The process id of the primary, as it sees itself.
        PRIMARY = 5;
        /// When the event loop of the primary last turned, in microseconds of the monotonic clock.
        PRIMARY_BEAT = 6;
        /// 1 while the primary has an admin socket.
        ADMIN = 7;
        /// 32-bit word: grows with every release of a token of the budget; those that wait sleep on it.
        BUDGET_WAKE = 8;
        /// 32-bit word: how many sleep on it.
        BUDGET_WAITERS = 9;
        /// The last ticket that was drawn for a lock.
        TICKETS = 10;
        /// How many of the claims on locks were ever taken; readers look at only these.
        CLAIMS_USED = 11;
        /// By which keys are hashed: nobody can choose some that fall together.
        SEED = 12;
    }

    /// What a cluster is doing.
    phase PHASE: i64 {
        RUNNING = 0;
        STOPPING = 1;
        STOPPED = 2;
    }

    /// What the helper thread of a process is asked for.
    ask ASK: u8 {
        /// The JavaScript stack of the main thread.
        STACK = 1;
        /// Begin a CPU profile; it ends by itself after so many seconds.
        START_PROFILE = 2;
        /// End it, and write it to a file.
        STOP_PROFILE = 3;
        HEAP_SNAPSHOT = 4;
    }
}
