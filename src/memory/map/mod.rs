//! A map of bounded size in memory that several processes share. All of them read it without ever waiting, and write it
//! without losing data when a process is killed at any instruction.
//!
//! An entry lies in a chain of blocks. A *way* names its first block, and a key may have a way in either of two sets. A
//! writer fills blocks of its own, and then changes one way by one compare-and-swap. Step by step, for one key:
//!
//! | the way names | the blocks are | then | and if the writer dies here |
//! |---|---|---|---|
//! | the old entry | old live | a writer takes free blocks | `recover` frees them |
//! | the old entry | old live, new owned | it fills them | `recover` frees them |
//! | the new entry | old live, new owned | it has swapped the way | `recover` makes the new live, and frees the old |
//! | the new entry | old live, new live | it has made the new live | `recover` frees the old |
//! | the new entry | old free, new live | it has freed the old | nothing is to be done |
//!
//! A new key is the same with an empty way instead of an old entry, under the lock of its first set. The next writer
//! takes over that lock from a dead holder. Deleting swaps the way for an empty one.
//!
//! `layout` says where everything is and `words` how it is packed; `cells` is the memory. `blocks`, `publish`, `lock`
//! and `recover` are the steps that others see; `proof/loom` tries their orders. `entry` is the content of blocks,
//! `find` finds an entry, `change` writes one, `store` has blocks for that, `evict` makes room, `read` and `scan` are
//! for readers. `seats` knows which processes are alive, `patience` waits for a lock, `notify` wakes the waiters for a
//! change, `number` counts, `when` says under which condition a value is put, `clock` ends entries, `ticks` is a clock
//! that costs a load, and `registry` has the maps of this process for its threads. `kill` has the points at which tests
//! kill.

mod blocks;
mod cells;
mod change;
pub mod clock;
mod entry;
mod evict;
mod find;
mod key;
mod kill;
mod layout;
mod lock;
mod notify;
mod number;
mod patience;
mod publish;
mod read;
mod recover;
pub mod registry;
mod scan;
mod seats;
mod store;
mod ticks;
mod when;
mod words;

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use rustix::fs;

use super::region::RegionError;
use super::region::file::{anonymous_file, check_seal, reserve, seal};
use super::region::mapping::Mapping;
use cells::Cells;
use find::{Entry, Places, places_of};
use layout::{Layout, header, seat};
use notify::Notifier;
use store::Store;

use crate::sync::Ordering::{Acquire, Relaxed, Release};

pub use change::Hands;
pub use key::{BUFFER, Key, MAX_KEY, Space};
pub use layout::{BYTES, MAX_SEATS, MAX_VALUE};
pub use number::{EXACT, NotCounted, Number, Step};
pub use read::{Place, Read};
pub use recover::Recovered;
pub use scan::Statistics;
pub use when::{New, When};
pub use words::Owner;

/// Why a call failed.
#[derive(Debug)]
pub enum MapError {
    /// The system refused.
    Io(std::io::Error),
    /// The descriptor is not a map, or one of another version or size.
    Mismatch(String),
    /// A map cannot have this many bytes.
    Size(usize),
    /// A key has more than 250 bytes.
    LongKey,
    /// A value has more bytes than the map allows.
    LongValue,
    /// There is no room, and no entry makes room. A map that evicts never returns this.
    Full,
    /// A new key, or one that needs room, would have to wait for another process, which has lost its CPU.
    Busy,
}

impl fmt::Display for MapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MapError::Io(error) => write!(f, "the memory of the map could not be had: {error}"),
            MapError::Mismatch(what) => write!(f, "not a shared map of this version: {what}"),
            MapError::Size(bytes) => write!(f, "a shared map cannot have {bytes} bytes"),
            MapError::LongKey => write!(f, "a key has more than {MAX_KEY} bytes"),
            MapError::LongValue => f.write_str("a value is larger than the map allows"),
            MapError::Full => f.write_str("the map is full"),
            MapError::Busy => f.write_str("another process is in the way, and has no CPU"),
        }
    }
}

impl std::error::Error for MapError {}

impl From<RegionError> for MapError {
    fn from(error: RegionError) -> MapError {
        match error {
            RegionError::Io(error) => MapError::Io(error),
            RegionError::Mismatch(what) => MapError::Mismatch(what),
            RegionError::TooLarge => MapError::Mismatch("too large".into()),
        }
    }
}

impl From<rustix::io::Errno> for MapError {
    fn from(errno: rustix::io::Errno) -> MapError {
        MapError::Io(errno.into())
    }
}

/// The options of a new map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Bytes for entries. What the processes need for themselves is added to this.
    pub bytes: usize,
    /// Processes that may have it open at a time.
    pub seats: usize,
    /// How long entries last by default; none for ever.
    pub ttl: Option<Duration>,
    /// Whether entries make room for others.
    pub evict: bool,
    /// The most bytes that a value may have; none for a sixteenth of the map, at most 16 MiB.
    pub max_value: Option<usize>,
}

/// The same, as it lies in the header, where it never changes.
#[derive(Clone, Copy, Debug)]
struct Fixed {
    bytes: usize,
    ttl: u64,
    evict: bool,
    max_value: usize,
    seed: [u64; 2],
}

/// The bytes of a new value.
#[derive(Clone, Copy, Debug)]
pub enum Bytes<'a> {
    /// Bytes of any number.
    Slice(&'a [u8]),
    /// Eight bytes.
    Word(u64),
}

/// A new value. The caller decides what `tag` means.
#[derive(Clone, Copy, Debug)]
pub struct Put<'a> {
    /// The meaning of the bytes.
    pub tag: u16,
    /// The value.
    pub value: Bytes<'a>,
    /// When the entry ends, in microseconds of [`clock::now`]; 0 for never.
    pub expires: u64,
    /// For how long before that it is stale, in microseconds.
    pub stale: u64,
}

/// What should become of an entry.
#[derive(Clone, Copy, Debug)]
pub enum Change<'a> {
    /// The entry stays as it is, or absent.
    Keep,
    /// It goes.
    Delete,
    /// It has this value.
    Put(Put<'a>),
    /// It keeps its value, which must have been read, and ends at another time.
    Renew {
        /// As in [`Put`].
        expires: u64,
        /// As in [`Put`].
        stale: u64,
    },
}

/// What has become of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It has not changed.
    Kept,
    /// It has gone.
    Deleted,
    /// It has a new value, and this version.
    Put(u64),
}

/// An entry whose time is not over.
#[derive(Clone, Copy, Debug)]
pub struct Current<'a> {
    /// The meaning of the bytes.
    pub tag: u16,
    /// A number that differs after each change.
    pub version: u64,
    /// When it ends, in microseconds of [`clock::now`]; 0 for never.
    pub expires: u64,
    /// For how long before that it is stale, in microseconds.
    pub stale: u64,
    /// Bytes of the value.
    pub length: usize,
    words: &'a [u64],
}

impl<'a> Current<'a> {
    fn new(entry: &Entry, words: &'a [u64]) -> Current<'a> {
        Current {
            tag: entry.head.tag,
            version: entry.block.link(),
            expires: entry.head.expires,
            stale: entry.head.stale,
            length: entry.head.length as usize,
            words,
        }
    }

    /// The value, if it was read.
    pub fn value(&self) -> &'a [u8] {
        let bytes: &[u8] = bytemuck::cast_slice(self.words);
        &bytes[..self.length.min(bytes.len())]
    }

    /// Whether the time has come after which the value is only returned as `stale`.
    pub fn is_stale(&self) -> bool {
        self.expires != 0 && clock::is_over(self.expires.saturating_sub(self.stale).max(1))
    }

    /// Whether the entry is there for a caller that does not want a stale one.
    pub fn is_fresh(&self) -> bool {
        self.stale == 0 || !self.is_stale()
    }
}

/// A map, as one process has it. All its threads use it together; each brings its own [`Hands`].
#[derive(Debug)]
pub struct Map {
    cells: Cells,
    file: OwnedFd,
    options: Fixed,
    owner: Owner,
    store: Store,
    notifier: Arc<Notifier>,
    /// Whether this process turns its coarse clock.
    ticks: AtomicBool,
}

/// The first words of a map, mapped a second time, for a view that must not outlive this value.
#[derive(Debug)]
pub struct Words {
    mapping: Mapping,
    bytes: usize,
}

impl Words {
    /// The address of the words.
    pub fn base(&self) -> std::ptr::NonNull<u8> {
        self.mapping.base()
    }

    /// Their size in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

const MAGIC: u64 = u64::from_le_bytes(*b"rspool\x00M");

impl Map {
    /// Makes a map. This process gets the last of its seats.
    pub fn create(options: Options) -> Result<Map, MapError> {
        let layout = Layout::new(options.bytes, options.seats)?;
        let max_value = options
            .max_value
            .unwrap_or((options.bytes / 16).min(1 << 24))
            .min(MAX_VALUE);
        let file = anonymous_file(c"rspool-map")?;
        fs::ftruncate(&file, layout.total as u64)?;
        // Reserved at once, so that a lack of memory is an error here, and not a fault later.
        reserve(&file, layout.total)?;
        let mapping = Mapping::new(&file, layout.total, true)?;
        let ttl = options.ttl.and_then(clock::micros).unwrap_or(0);
        let words = [
            (header::VERSION, layout::VERSION),
            (header::TOTAL, layout.total as u64),
            (header::SETS, layout.sets.into()),
            (header::BLOCKS, layout.blocks.into()),
            (header::SEATS, layout.seats.into()),
            (header::SEED, random()),
            (header::SEED + 1, random()),
            (header::TTL, ttl),
            (header::EVICT, options.evict.into()),
            (header::MAX_VALUE, max_value as u64),
            (header::BYTES, options.bytes as u64),
            (header::MAGIC, MAGIC),
        ];
        for (word, value) in words {
            mapping.u64(word * 8).store(value, Release);
        }
        seal(&file)?;
        Map::sit(file, mapping, layout, options.seats as u16 - 1)
    }

    /// Opens the map behind `file`, as the process that has the seat. Any other file is refused.
    ///
    /// The caller knows that no living process has the seat.
    pub fn open(file: BorrowedFd<'_>, seat: u16) -> Result<Map, MapError> {
        let file = rustix::io::fcntl_dupfd_cloexec(file, 3)?;
        // A size that is not sealed may change right after it was read.
        check_seal(&file)?;
        let size = usize::try_from(fs::fstat(&file)?.st_size).unwrap_or(0);
        let mismatch = |what: &str| Err(MapError::Mismatch(what.into()));
        if size < layout::HEADER_BYTES {
            return mismatch("it is too short");
        }
        let head = Mapping::new(&file, layout::HEADER_BYTES, false)?;
        let word = |word: usize| head.load(word * 8);
        if word(header::MAGIC) != MAGIC {
            return mismatch("it has another header");
        }
        if word(header::VERSION) != layout::VERSION {
            return mismatch("it is of another version of the package");
        }
        let number = |at: usize| u32::try_from(word(at)).unwrap_or(0);
        let layout = Layout::of(
            number(header::SETS),
            number(header::BLOCKS),
            number(header::SEATS),
        );
        match layout {
            Some(layout) if layout.total == size && word(header::TOTAL) == size as u64 => {
                if u32::from(seat) >= layout.seats {
                    return mismatch("it has no such seat");
                }
                Map::sit(
                    file.try_clone().map_err(MapError::Io)?,
                    Mapping::new(&file, size, true)?,
                    layout,
                    seat,
                )
            }
            _ => mismatch("its size is not what its header says"),
        }
    }

    fn sit(file: OwnedFd, mapping: Mapping, layout: Layout, seat: u16) -> Result<Map, MapError> {
        let word = |word: usize| mapping.load(word * 8);
        let options = Fixed {
            bytes: word(header::BYTES) as usize,
            ttl: word(header::TTL),
            evict: word(header::EVICT) != 0,
            // Whatever the word says, a value has at most as many bytes as all blocks.
            max_value: (word(header::MAX_VALUE) as usize)
                .min(MAX_VALUE)
                .min(layout.room()),
            seed: [word(header::SEED), word(header::SEED + 1)],
        };
        let cells = Cells::new(mapping, layout);
        let owner = seats::take(&cells, seat);
        Ok(Map {
            store: Store::new(owner, cells.blocks()),
            cells,
            file,
            options,
            owner,
            notifier: Arc::default(),
            ticks: AtomicBool::new(false),
        })
    }

    /// The descriptor by which other processes open the map.
    pub fn file(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// The owner that this process is in the map.
    pub fn owner(&self) -> Owner {
        self.owner
    }

    /// Whether an owner has died.
    pub fn is_dead(&self, owner: Owner) -> bool {
        seats::is_dead(&self.cells, owner)
    }

    /// Processes that may have it open at a time.
    pub fn seats(&self) -> usize {
        self.cells.layout().seats as usize
    }

    /// When an entry ends that should last for `ttl` from now on, and then stay for `stale`; 0 for never.
    pub fn end(&self, ttl: Option<Duration>, stale: Duration) -> u64 {
        let lasts = ttl.and_then(clock::micros).zip(clock::micros(stale));
        lasts
            .and_then(|(fresh, stale)| fresh.max(1).checked_add(stale)?.checked_add(clock::now()))
            .unwrap_or(0)
    }

    /// When an entry ends that is put now, and for how long before that it is stale, from two numbers of milliseconds.
    /// The first is infinity for an entry that never ends, and below zero for the map's default.
    pub fn times(&self, ttl: f64, stale: f64) -> (u64, u64) {
        let ttl = match ttl < 0.0 || ttl.is_nan() {
            true => self.ttl(),
            false => clock::milliseconds(ttl),
        };
        let stale = match stale > 0.0 {
            true => clock::milliseconds(stale).unwrap_or(Duration::MAX),
            false => Duration::ZERO,
        };
        let end = self.end(ttl, stale);
        let stale = clock::micros(stale).unwrap_or(0);
        (end, if end == 0 { 0 } else { stale })
    }

    /// How long entries last by default.
    pub fn ttl(&self) -> Option<Duration> {
        (self.options.ttl != 0).then(|| Duration::from_micros(self.options.ttl))
    }

    /// The version as a number that a double holds. It differs after each change, unless a block has had some millions
    /// of lives in between.
    pub fn version_number(&self, version: u64) -> u64 {
        let (generation, index) = (version >> 32, version & 0xffff_ffff);
        (generation * (u64::from(self.cells.blocks()) + 1) + index) & ((1 << 53) - 1)
    }

    /// Another mapping of the first bytes, which say whether an entry is still the same. With `whole`, of all bytes.
    pub fn remap(&self, whole: bool) -> Result<Words, MapError> {
        let layout = self.cells.layout();
        let bytes = if whole {
            layout.total
        } else {
            layout.blocks_at
        };
        let mapping = Mapping::new(&self.file, bytes, true)?;
        Ok(Words { mapping, bytes })
    }

    /// The most bytes that a value may have.
    pub fn max_value(&self) -> usize {
        self.options.max_value
    }

    /// The process that had the seat has ended. The caller knows that no other has taken it since.
    pub fn retire(&self, seat: u16) {
        if usize::from(seat) < self.seats() && seat != self.owner.seat {
            seats::retire(&self.cells, seat);
            // Another process may wait for what the dead one should have done.
            self.wake();
        }
    }

    /// Puts in order what ended processes that had the seat have left behind. May run at the same time as any other
    /// call, any number of times.
    pub fn recover(&self, seat: u16) -> Recovered {
        let found = recover::recover(&self.cells, |owner| {
            owner.seat == seat && seats::is_dead_by_state(&self.cells, owner)
        });
        let recovered = &self.cells.seat(self.owner.seat.into())[seat::RECOVERED];
        recovered.fetch_add((found.freed + found.kept).into(), Relaxed);
        found
    }

    fn count(&self, word: usize) {
        self.cells.seat(self.owner.seat.into())[word].fetch_add(1, Relaxed);
    }

    fn places(&self, key: &Key) -> Places {
        places_of(key.hash(self.options.seed), self.cells.sets())
    }

    fn identity(&self) -> u64 {
        self.cells.seat(self.owner.seat.into())[seat::IDENTITY].load(Acquire)
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        self.notifier.close();
        self.store.close(&self.cells);
        // The process lives on, but has let go of the map.
        if (self.identity() >> 32) as u32 == self.owner.generation {
            seats::retire(&self.cells, self.owner.seat);
        }
    }
}

/// A number that cannot be guessed.
fn random() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id())
}

#[cfg(test)]
mod tests;
