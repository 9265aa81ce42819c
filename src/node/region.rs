//! Regions for JavaScript. Each is an ArrayBuffer over a mapping of its own, which only `Atomics` use.

use std::ffi::c_void;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::ptr;

use napi::bindgen_prelude::{BigInt, BigInt64Array, ToNapiValue, TypeName, Uint8Array, ValueType};
use napi::{Error, Result, Status, sys};
use napi_derive::napi;

use super::descriptor::borrowed;
use crate::memory::region::{Answer, Layout, Look, Region, Section, Spec};
use crate::memory::ring::{Message, MessageRing, PRIMARY, Refusal, Sender, recover};
use crate::memory::{locks, table};
use crate::supervise::budget::{self, Budget};
use crate::wire::published;

/// The parts that a region must have room for; see `Spec`.
#[napi(object)]
pub struct RegionSpec {
    /// Processes alive at one time.
    pub seats: u32,
    /// Slots.
    pub slots: u32,
    /// Rows of cells.
    pub rows: u32,
    /// 64-bit cells in a row.
    pub cells: u32,
    /// Tokens of the CPU budget.
    pub tokens: u32,
    /// Bytes of messages that the ring keeps; none means no ring.
    pub ring: Option<u32>,
    /// Claims on locks.
    pub claims: u32,
    /// Keys of things that happen once.
    pub once: u32,
    /// Keys of limits.
    pub limits: u32,
    /// Digest of the names.
    pub schema: BigInt,
    /// The cluster's description of itself for programs outside, as JSON.
    pub about: String,
}

/// Parts of equal size, one after another.
#[napi(object)]
pub struct RegionSection {
    /// Bytes from the start of the region.
    pub offset: u32,
    /// The number of parts.
    pub count: u32,
    /// Bytes of each.
    pub stride: u32,
}

impl From<Section> for RegionSection {
    fn from(section: Section) -> RegionSection {
        RegionSection {
            offset: section.offset as u32,
            count: section.count as u32,
            stride: section.stride as u32,
        }
    }
}

/// Where the sections of a region are.
#[napi(object)]
pub struct RegionLayout {
    /// The words that all processes share.
    pub shared: RegionSection,
    /// The seats of processes.
    pub seats: RegionSection,
    /// Tokens of the CPU budget.
    pub tokens: RegionSection,
    /// Rows of cells.
    pub cells: RegionSection,
    /// One text per seat.
    pub texts: RegionSection,
    /// What the primary knows of each slot.
    pub slots: RegionSection,
    /// The requests of each seat.
    pub requests: RegionSection,
    /// The cluster's description of itself.
    pub about: RegionSection,
    /// The ring of messages.
    pub ring: RegionSection,
    /// Bytes of the whole region.
    pub total: u32,
}

impl From<Layout> for RegionLayout {
    fn from(layout: Layout) -> RegionLayout {
        RegionLayout {
            shared: layout.shared.into(),
            seats: layout.seats.into(),
            tokens: layout.tokens.into(),
            cells: layout.cells.into(),
            texts: layout.texts.into(),
            slots: layout.slots.into(),
            requests: layout.requests.into(),
            about: layout.about.into(),
            ring: layout.ring.into(),
            total: layout.total as u32,
        }
    }
}

/// A request to the helper thread of a process.
#[napi(object)]
pub struct HelperQuestion {
    /// The number of the request.
    pub number: u32,
    /// The kind of request.
    pub kind: u32,
    /// The argument of this kind.
    pub argument: u32,
}

/// An answer of the helper thread of a process.
#[napi(object)]
pub struct HelperAnswer {
    /// False if `text` says why the request could not be fulfilled.
    pub ok: bool,
    /// The result.
    pub text: String,
}

/// The process that publishes a message.
#[napi(object)]
pub struct MessageSender {
    /// Its process id.
    pub pid: u32,
    /// Its slot, if it has one.
    pub slot: Option<u32>,
    /// Distinguishes it from other processes that have had the slot.
    pub generation: u32,
}

impl From<MessageSender> for Sender {
    fn from(sender: MessageSender) -> Sender {
        Sender {
            pid: sender.pid,
            slot: sender.slot,
            generation: sender.generation,
        }
    }
}

/// A region that this process has made or inherited.
#[napi(js_name = "Region")]
pub struct JsRegion {
    pub(crate) region: Region,
}

pub(crate) fn failure(error: impl std::fmt::Display) -> Error {
    Error::from_reason(error.to_string())
}

pub(super) fn no_descriptor(fd: i32) -> Error {
    failure(format!("no descriptor: {fd}"))
}

#[napi]
impl JsRegion {
    /// Makes a region.
    #[napi(factory)]
    pub fn create(spec: RegionSpec) -> Result<JsRegion> {
        let room = Spec {
            seats: spec.seats,
            slots: spec.slots,
            rows: spec.rows,
            cells: spec.cells,
            tokens: spec.tokens,
            ring: spec.ring.unwrap_or(0),
            claims: spec.claims,
            once: spec.once,
            limits: spec.limits,
            schema: spec.schema.get_u64().1,
        };
        Ok(JsRegion {
            region: Region::create(room, &spec.about).map_err(failure)?,
        })
    }

    /// Opens the region behind an inherited descriptor, which stays open. Refuses anything but a region of this version
    /// with names of this digest.
    #[napi(factory)]
    pub fn open(fd: i32, schema: BigInt) -> Result<JsRegion> {
        let file = borrowed(&fd).ok_or_else(|| no_descriptor(fd))?;
        // The cluster's grandchildren must not inherit the region.
        rustix::io::fcntl_setfd(file, rustix::io::FdFlags::CLOEXEC).map_err(failure)?;
        let region = Region::open(file).map_err(failure)?;
        if region.schema() != schema.get_u64().1 {
            return Err(failure(
                "not the shared region of this cluster: it has other names",
            ));
        }
        Ok(JsRegion { region })
    }

    /// The descriptor that other processes inherit.
    #[napi(getter)]
    pub fn fd(&self) -> i32 {
        self.region.file().as_raw_fd()
    }

    /// Where its sections are.
    #[napi(getter)]
    pub fn layout(&self) -> RegionLayout {
        self.region.layout().into()
    }

    /// An ArrayBuffer over a new mapping, which lives until the buffer is garbage-collected.
    #[napi]
    pub fn buffer(&self) -> Result<External> {
        Ok(External(self.region.remap().map_err(failure)?))
    }

    /// Gives this process, which has the seat, its share in the cluster's CPU budget.
    #[napi]
    pub fn use_budget(&self, seat: u32) -> Result<()> {
        budget::set_current(Budget::new(self.region.remap().map_err(failure)?, seat));
        Ok(())
    }

    /// Frees the tokens and locks of a process that has ended, and gives up the messages that it has not written to the
    /// end. Returns how many tokens it held.
    #[napi]
    pub fn reclaim(&self, seat: u32) -> u32 {
        recover(&self.region, seat);
        locks::recover(&self.region, seat);
        table::recover(&self.region, seat);
        Budget::reclaim(&self.region, seat) as u32
    }

    /// Publishes a message for all processes. Returns the result; see `PUBLISHED`. `seat` is the caller's, or none for
    /// the primary.
    #[napi]
    pub fn publish(
        &self,
        seat: Option<u32>,
        topic: String,
        tag: u32,
        bytes: Uint8Array,
        sender: MessageSender,
    ) -> u32 {
        let Some(ring) = MessageRing::of(&self.region) else {
            return published::NONE;
        };
        let message = Message {
            topic,
            tag,
            bytes: bytes.to_vec(),
            sender: sender.into(),
        };
        match ring.publish(seat.unwrap_or(PRIMARY), &message) {
            Ok(()) => published::DONE,
            Err(Refusal::TooLong) => published::TOO_LONG,
            Err(Refusal::Busy) => published::BUSY,
            Err(Refusal::Broken) => published::BROKEN,
        }
    }

    /// The most bytes that a topic and a message may have together; 0 if there is no ring.
    #[napi(getter)]
    pub fn longest_message(&self) -> u32 {
        MessageRing::of(&self.region).map_or(0, |ring| ring.longest() as u32)
    }

    fn seat(&self, seat: u32) -> Result<usize> {
        let seat = seat as usize;
        if seat < self.region.layout().seats.count {
            return Ok(seat);
        }
        Err(failure(format!("no seat {seat}")))
    }

    /// Asks the helper thread of the process in a seat. Returns the number of the request, or nothing while another
    /// request is open.
    #[napi]
    pub fn ask(&self, seat: u32, kind: u8, argument: u32) -> Result<Option<u32>> {
        Ok(self.region.ask(self.seat(seat)?, kind, argument))
    }

    /// The open request to the process in a seat.
    #[napi]
    pub fn question(&self, seat: u32) -> Result<Option<HelperQuestion>> {
        let question = self.region.question(self.seat(seat)?);
        Ok(question.map(|question| HelperQuestion {
            number: question.number,
            kind: question.kind.into(),
            argument: question.argument,
        }))
    }

    /// Answers a request.
    #[napi]
    pub fn answer(&self, seat: u32, number: u32, answer: HelperAnswer) -> Result<()> {
        let HelperAnswer { ok, text } = answer;
        self.region
            .answer(self.seat(seat)?, number, &Answer { ok, text });
        Ok(())
    }

    /// Takes the answer to a request, if there is one.
    #[napi]
    pub fn take_answer(&self, seat: u32, number: u32) -> Result<Option<HelperAnswer>> {
        let answer = self.region.take_answer(self.seat(seat)?, number);
        Ok(answer.map(|Answer { ok, text }| HelperAnswer { ok, text }))
    }

    /// Drops an answer that was not taken. Returns whether there was one.
    #[napi]
    pub fn drop_answer(&self, seat: u32) -> Result<bool> {
        Ok(self.region.drop_answer(self.seat(seat)?))
    }
}

/// The region of another program's cluster, which can be copied but not written.
#[napi(js_name = "RegionLook")]
pub struct JsLook {
    look: Look,
}

#[napi]
impl JsLook {
    /// Opens the region that a path names, as `/proc/<pid>/fd/<number>` does.
    #[napi(factory)]
    pub fn open(path: String) -> Result<JsLook> {
        Ok(JsLook {
            look: Look::open(Path::new(&path)).map_err(failure)?,
        })
    }

    /// Where its sections are.
    #[napi(getter)]
    pub fn layout(&self) -> RegionLayout {
        self.look.layout().into()
    }

    /// The digest of the names.
    #[napi(getter)]
    pub fn schema(&self) -> BigInt {
        BigInt::from(self.look.schema())
    }

    /// Copies the present contents of the region into `words`, as far as there is room.
    #[napi]
    pub fn copy(&self, mut words: BigInt64Array) {
        // SAFETY: the caller's array, which nothing else uses during this call.
        self.look.copy(unsafe { words.as_mut() });
    }
}

/// A mapping on its way to JavaScript. The safe wrapper of napi makes a copy where external memory is not allowed, and
/// the copy would silently not be shared. Here that is an error.
pub struct External(Region);

impl TypeName for External {
    fn type_name() -> &'static str {
        "ArrayBuffer"
    }

    fn value_type() -> ValueType {
        ValueType::Object
    }
}

impl ToNapiValue for External {
    unsafe fn to_napi_value(env: sys::napi_env, value: Self) -> Result<sys::napi_value> {
        unsafe extern "C" fn unmap(_: sys::napi_env, _: *mut c_void, hint: *mut c_void) {
            // SAFETY: the hint is the box that was given away below, and this runs once.
            drop(unsafe { Box::from_raw(hint.cast::<Region>()) });
        }
        let total = value.0.layout().total;
        let base = value.0.base().as_ptr().cast();
        let hint = Box::into_raw(Box::new(value.0));
        let mut result = ptr::null_mut();
        // SAFETY: `base` is mapped for `total` bytes until `unmap` drops the region.
        let status = unsafe {
            sys::napi_create_external_arraybuffer(
                env,
                base,
                total,
                Some(unmap),
                hint.cast(),
                &mut result,
            )
        };
        if status != sys::Status::napi_ok {
            // SAFETY: the runtime refused the memory, so the finalizer will never see it.
            drop(unsafe { Box::from_raw(hint) });
            return Err(Error::new(
                Status::from(status),
                "this runtime does not allow memory from outside its heap",
            ));
        }
        Ok(result)
    }
}

/// Lets the pools that this process makes from now on share a CPU budget, for `busy` workers and one more per further
/// pool. Returns false if they share one already: that of the cluster, or of an earlier call.
#[napi]
pub fn share_cpu(busy: u32) -> Result<bool> {
    if budget::current().is_some() {
        return Ok(false);
    }
    // The budget of a cluster of one process. Each pool has one busy worker without a token.
    let spec = Spec {
        seats: 1,
        tokens: busy.saturating_sub(1),
        ..Spec::default()
    };
    let region = Region::create(spec, "").map_err(failure)?;
    Ok(budget::set_current(Budget::new(region, 0)))
}
