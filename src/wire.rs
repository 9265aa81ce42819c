//! Every number that Rust and JavaScript both know, defined once.
//!
//! Each table is a module of constants here, and a frozen object of the same names in `lib/native/wire.js`. A test
//! compares that file; `RSPOOL_WRITE_WIRE=1 cargo test wire` writes it.

/// A table as JavaScript sees it.
#[cfg(test)]
#[derive(Clone, Copy)]
struct Table {
    name: &'static str,
    about: &'static [&'static str],
    entries: &'static [(&'static str, i64, &'static [&'static str])],
}

/// Declares tables: a module of constants for each, and what the writer of `wire.js` needs.
macro_rules! tables {
    ($(
        $(#[doc = $about:literal])*
        $module:ident $js:ident: $type:ty {
            $($(#[doc = $doc:literal])* $name:ident = $value:expr;)*
        }
    )*) => {
        $(
            $(#[doc = $about])*
            #[allow(missing_docs, reason = "some names say it all")]
            pub mod $module {
                $($(#[doc = $doc])* pub const $name: $type = $value;)*
            }
        )*

        #[cfg(test)]
        pub(in crate::wire) const TABLES: &[$crate::wire::Table] = &[$(
            $crate::wire::Table {
                name: stringify!($js),
                about: &[$($about),*],
                entries: &[$((stringify!($name), $value as i64, &[$($doc),*])),*],
            },
        )*];
    };
}

// `proof/loom` takes this file by its path, so that of the next is said.
#[path = "wire/region.rs"]
pub mod region;

tables! {
    /// Where each 32-bit number of a native call is, in 32-bit steps: what is written for it (in), and what it
    /// answers (out).
    cell CELL: usize {
        /// in: which pool of the environment.
        POOL = 0;
        /// in and out: the owner's name for the call.
        TICKET = 1;
        /// in and out: which function.
        TARGET = 2;
        /// in and out: what the payload's body means.
        TAG = 3;
        /// in and out: where the payload's body is.
        FORM = 4;
        /// in and out: bytes of the payload's body.
        LENGTH = 5;
        /// in: -20 to 19.
        PRIORITY = 6;
        /// in: the lane, and beside it bits.
        LANE = 7;
        /// in: milliseconds, -1 for no limit.
        TIMEOUT = 8;
        /// in: milliseconds, -1 for no limit.
        QUEUE_TIMEOUT = 9;
        /// out: what happened.
        RESULT = 10;
        /// out: the task's key.
        KEY = 11;
        /// in and out: the task's generation.
        GENERATION = 12;
        /// out: the worker whose isolate the caller starts, or -1.
        START = 13;
        /// in: the slot of the finished task, or -1. out: the slot of the new one.
        SLOT = 14;
        /// in: how the task ended.
        STATUS = 15;
        /// in: how often the task may start again after its worker has died.
        RETRIES = 16;
        /// in: 0 for any worker, a key above 0, or -1 - the id of the only worker.
        PLACEMENT = 17;
    }

    /// Where each 64-bit float of a native call is, in 64-bit steps behind the cells.
    number NUMBER: usize {
        /// in and out: the payload that is a number.
        PAYLOAD = 12;
        /// out: the scheduler's clock in milliseconds.
        CLOCK = 13;
        /// in: milliseconds until the deadline; negative is none.
        DEADLINE = 14;
    }

    /// Bytes of the memories that an environment and its native functions share, and of what is in them. No two of
    /// them overlap.
    size SIZE: usize {
        /// The cells and numbers of a native call.
        CALL = 128;
        /// Where a value is encoded, for a native call to take.
        SCRATCH = 65_536;
        /// The input of the task that `exchange` gives.
        INPUT = 16_384;
        /// The notices of a drain.
        NOTICES = 65_536;
        /// A payload of so many bytes, or fewer, goes through these memories when Rust sends it.
        INLINE = 16_384;
        /// A payload of so many bytes, or fewer, is copied by JavaScript; a native call takes more of them.
        COPIED = 2048;
        /// From so many bytes on, a native task reads what is moved, shared or lent in place; fewer are copied.
        IN_PLACE = 16_384;
        /// The four numbers of a notice.
        HEADER = 16;
        /// What a shared map gives besides primitive values.
        MAP = 65_536;
    }

    /// Where the body of a payload is.
    form FORM: i32 {
        /// It is a number.
        NUMBER = 0;
        /// Bytes in the memory for it: that of encoding, or of the input.
        BYTES = 1;
        /// Bytes elsewhere: an argument of the call, or a blob.
        ELSEWHERE = 2;
        /// As `ELSEWHERE`, read in place: nobody writes there while the task is under way.
        LENT = 3;
        /// As `LENT`, on shared memory, which others may write.
        SHARED = 4;
        /// A head, and then the tag, the form and the bytes of each part, in a list.
        PARTS = 5;
        /// The number of a shared map.
        MAP = 6;
    }

    /// The lane of a task, and bits beside it.
    lane LANE: i32 {
        NATIVE = 0;
        SCRIPT = 1;
        /// The scheduler tells when the task starts, and how long it ran.
        OBSERVED = 2;
        /// Room in the queue has been reserved for it.
        RESERVED = 4;
        /// No other worker is to help with it.
        ALONE = 8;
    }

    /// Functions of the script lane by number.
    target TARGET: u32 {
        /// The pool's own: what its `run` calls.
        OWN = 0;
    }

    /// What `submit` says.
    submitted SUBMITTED: i32 {
        ACCEPTED = 0;
        /// The queue is full.
        FULL = 1;
        CLOSED = 2;
    }

    /// What `exchange` says.
    step STEP: i32 {
        /// There is nothing to do: wait for the doorbell.
        IDLE = 0;
        RUN = 1;
        RETIRE = 2;
    }

    /// How a task ended, as its isolate says it.
    status STATUS: i32 {
        RETURNED = 0;
        THREW = 1;
        /// What it gave cannot be cloned.
        NOT_CLONED = 2;
    }

    /// Why a call was never submitted.
    unsubmitted UNSUBMITTED: u32 {
        /// Its signal was aborted already.
        ABORTED = 0;
        /// Its input cannot be cloned.
        NOT_CLONED = 1;
        /// The pool does not take it.
        REFUSED = 2;
    }

    /// Why the doorbell was rung, as bits.
    ring RING: u32 {
        /// There is something in the outbox.
        OUTBOX = 1;
        /// The idle worker is to look for tasks.
        LANE = 2;
        /// A task that the worker runs was given up; its flag says which.
        CANCEL = 4;
        /// The environment has asked for a turn of its event loop.
        TURN = 8;
        /// There are messages of the cluster.
        MESSAGES = 64;
        /// Some connections have their first bytes.
        FIRST_BYTES = 128;
        /// A lock of the cluster may have come free.
        LOCKS = 32;
        /// Something may have changed in a shared map that it waits for.
        MAP = 16;
    }

    /// What became of a message that was to be published.
    published PUBLISHED: u32 {
        DONE = 0;
        /// It has too many bytes.
        TOO_LONG = 1;
        /// A process that has stopped while it was publishing is in the way.
        BUSY = 2;
        /// The region is damaged.
        BROKEN = 3;
        /// The region has no ring.
        NONE = 4;
    }

    /// Why a key could not be used.
    refused REFUSED: i32 {
        FULL = -1;
        /// A process that has stopped is in the way.
        BUSY = -2;
        /// It is no string of 1 to 250 bytes.
        KEY = -3;
    }

    /// The first number of a drained notice: how a task ended, or (from 16) what a pool has to do, or (from 32) what
    /// happens to an observed task.
    notice NOTICE: i32 {
        RETURNED = 0;
        THREW = 1;
        /// A native task failed: a code and a message.
        FAILED = 2;
        TASK_TIMEOUT = 3;
        QUEUE_TIMEOUT = 4;
        POOL_CLOSED = 5;
        WORKER_GONE = 6;
        /// No worker could be started.
        WORKER_START = 7;
        DEADLINE = 8;
        CANCELLED = 9;
        /// Start an isolate.
        START = 16;
        /// End an isolate.
        TERMINATE = 17;
        /// An isolate has not started in the time that it may take.
        STARTED_TOO_LATE = 18;
        /// A lane of a closed pool has no worker left.
        LANE_ENDED = 19;
        /// An isolate runs no more.
        GONE = 20;
        /// There is a message in the port of an isolate.
        LOOK = 21;
        /// The code of an isolate does not run yet; if the loop is blocked, it does not see why.
        NOT_BEGUN = 22;
        /// A time is over that the owner waits for.
        REMIND = 23;
        /// An isolate was rung, runs no task and does not come.
        STALLED = 24;
        /// An isolate has started.
        READY = 25;
        /// A worker has taken a task whose input is to be sent through its port: a slot, a ticket, a generation and a
        /// target follow.
        WANTED = 26;
        /// A worker has taken the task.
        STARTED = 32;
        /// How long it ran.
        RAN = 33;
        /// How far a native task says that it is.
        PROGRESS = 34;
        /// A chunk of a native stream: its ticket and its generation, then a header and a payload as of an outcome.
        CHUNK = 35;
    }

    /// Why an isolate is to be ended.
    ending ENDING: i32 {
        /// Its task was given up, and has not stopped in the time that it gets for that.
        GIVEN_UP = 1;
        /// It was told to end, and has not in the time that it gets for that.
        LEAVES_LATE = 2;
        /// The same, of a closed pool.
        CLOSED_LATE = 3;
    }

    /// What a pool may be reminded of.
    reminder REMINDER: u32 {
        /// It is to have closed.
        CLOSE = 0;
        /// What its isolates have written is to be there.
        OUTPUT = 1;
        /// Isolates are started again, after one could not be.
        RETRY = 2;
    }

    /// What a payload is. Of a view the type is in the bits above.
    tag TAG: u32 {
        UNDEFINED = 0;
        NULL = 1;
        FALSE = 2;
        TRUE = 3;
        NUMBER = 4;
        LATIN1 = 5;
        UTF16 = 6;
        /// Hexadecimal digits, with a sign where it is negative.
        BIGINT = 7;
        VIEW = 8;
        /// Plain data as `lib/payload/encode.js` writes it.
        CODEC = 9;
        /// It goes through a port; the number says from which worker.
        PORT = 10;
        JSON = 11;
        UTF8 = 12;
        /// A whole number of 64 bits, in a shared map.
        INT64 = 13;
        /// An object or a list with parts that JSON cannot carry. Its head is JSON: the whole `value`, and its `parts`,
        /// each by its path and its tag.
        RECORD = 14;
        /// A shared map.
        MAP = 15;
    }

    /// Where each 32-bit number of what a shared map gives is, in 32-bit steps.
    map_cell MAP_CELL: usize {
        /// What the value is.
        TAG = 0;
        /// Bytes of the value.
        LENGTH = 1;
        /// The word that names the first block of the entry, in 32-bit steps into the words of the map.
        WAY = 2;
        /// What that word is.
        BLOCK = 3;
        /// The word of that block's generation.
        STATE = 4;
        /// What that word is.
        GENERATION = 5;
        /// The word that says which entries were read.
        CLOCK = 6;
        /// The bit there of this entry.
        BIT = 7;
        /// Why nothing was done.
        FAILURE = 8;
        /// The set to go on with, or -1.
        NEXT = 9;
        /// 1 if the value is past its time, and good only for `stale`.
        STALE = 10;
    }

    /// Where each 64-bit float of that is, in 64-bit steps.
    map_number MAP_NUMBER: usize {
        /// When the entry is over, in microseconds of the monotonic clock; 0 for never.
        EXPIRES = 6;
        /// The version of the entry.
        VERSION = 7;
    }

    /// Where the bytes of the value begin.
    map_value MAP_VALUE: usize {
        AT = 64;
    }

    /// Words of a shared map that JavaScript reads, in 64-bit steps.
    map_word MAP_WORD: usize {
        /// The coarse clock: the monotonic one, in ticks. Somebody turns it at least every few ticks.
        TICKS = 88;
    }

    /// The coarse clock of shared maps.
    map_tick MAP_TICK: u32 {
        /// Microseconds of a tick.
        MICROSECONDS = 65536;
        /// The clock is never so many ticks late while any process that keeps entries that end has the CPU now and then.
        MARGIN = 32;
    }

    /// When a shared map takes a value.
    put PUT: i32 {
        /// Always.
        SET = 0;
        /// If there is none.
        ADD = 1;
        /// If the entry has this version; 0 for none.
        VERSION = 2;
        /// If the value there is what `expect` was given.
        EXPECTED = 3;
    }

    /// What a shared map has done.
    mapped MAPPED: i32 {
        /// Nothing: it is not as it was to be.
        NO = 0;
        YES = 1;
        FULL = 2;
        BUSY = 3;
        /// It is not a key.
        KEY = 4;
        /// The value has too many bytes.
        LONG_VALUE = 5;
        /// There is something else than a number.
        NO_NUMBER = 6;
        /// The sum has more than 64 bits.
        OVERFLOW = 7;
    }

    /// The type of a view.
    view VIEW: u32 {
        UINT8 = 0;
        INT8 = 1;
        UINT8_CLAMPED = 2;
        INT16 = 3;
        UINT16 = 4;
        INT32 = 5;
        UINT32 = 6;
        FLOAT32 = 7;
        FLOAT64 = 8;
        BIG_INT64 = 9;
        BIG_UINT64 = 10;
        DATA_VIEW = 11;
        FLOAT16 = 12;
        /// An ArrayBuffer by itself.
        ARRAY_BUFFER = 254;
        /// A Buffer, as a result of a native task; as its input any bytes.
        BUFFER = 255;
    }

    /// Which times of a pool's tasks.
    times TIMES: u32 {
        WAIT = 0;
        RUN = 1;
    }

    /// A cache line, on which each counter begins.
    line LINE: usize {
        BYTES = 64;
        /// 64-bit cells.
        CELLS = 8;
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;
    use std::fs;

    use super::*;

    fn all() -> impl Iterator<Item = &'static Table> {
        TABLES.iter().chain(region::TABLES)
    }

    fn comment(text: &mut String, indent: &str, lines: &[&str]) {
        let joined = lines
            .iter()
            .map(|line| line.trim())
            .collect::<Vec<_>>()
            .join(" ");
        if !joined.is_empty() {
            writeln!(text, "{indent}/** {joined} */").unwrap();
        }
    }

    fn javascript() -> String {
        let mut text = String::from(
            "'use strict'\n\n// Every number that Rust and JavaScript both know. Written by a test of src/wire.rs: change it there.\n\n",
        );
        for table in all() {
            comment(&mut text, "", table.about);
            writeln!(text, "const {} = Object.freeze({{", table.name).unwrap();
            for (at, (name, value, doc)) in table.entries.iter().enumerate() {
                comment(&mut text, "  ", doc);
                let comma = if at + 1 < table.entries.len() {
                    ","
                } else {
                    ""
                };
                writeln!(text, "  {name}: {value}{comma}").unwrap();
            }
            text.push_str("})\n\n");
        }
        text.push_str("module.exports = {\n");
        let names: Vec<_> = all().map(|table| format!("  {}", table.name)).collect();
        text.push_str(&names.join(",\n"));
        text.push_str("\n}\n");
        text
    }

    #[test]
    fn wire_js_says_the_same() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/lib/native/wire.js");
        let text = javascript();
        if std::env::var_os("RSPOOL_WRITE_WIRE").is_some() {
            fs::write(path, &text).unwrap();
        }
        let file = fs::read_to_string(path).unwrap();
        assert!(
            file == text,
            "lib/native/wire.js is not what src/wire.rs says: run RSPOOL_WRITE_WIRE=1 cargo test wire"
        );
    }

    #[test]
    fn no_two_names_of_a_table_are_one_number() {
        for table in all() {
            for (at, (name, value, _)) in table.entries.iter().enumerate() {
                let twin = table.entries[..at].iter().find(|entry| entry.1 == *value);
                let (twin, table) = (twin.map(|entry| entry.0), table.name);
                assert!(
                    ["SIZE", "LINE"].contains(&table) || twin.is_none(),
                    "{table}: {name}, {twin:?}"
                );
            }
        }
    }
}
