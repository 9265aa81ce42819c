//! Regions for JavaScript: an ArrayBuffer over a mapping of its own, used by `Atomics` only.

use std::ffi::c_void;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;
use std::sync::atomic::Ordering;

use napi::bindgen_prelude::{BigInt, ToNapiValue, TypeName, ValueType};
use napi::{Error, Result, Status, sys};
use napi_derive::napi;

use crate::memory::region::{Region, SEAT_BYTES, Spec, TEXT_BYTES};
use crate::supervise::budget::{self, Budget};

/// What a region is to have room for; see `Spec`.
#[napi(object)]
pub struct RegionSpec {
    /// Processes alive at one time.
    pub seats: u32,
    /// Rows of cells.
    pub rows: u32,
    /// 64-bit cells in a row.
    pub cells: u32,
    /// Tokens of the CPU budget.
    pub tokens: u32,
    /// Digest of the names.
    pub schema: BigInt,
}

/// Where the parts of a region are, in bytes.
#[napi(object)]
pub struct RegionLayout {
    /// Seats in the region.
    pub seat_count: u32,
    /// First seat.
    pub seats: u32,
    /// Bytes of a seat.
    pub seat_bytes: u32,
    /// Tokens in the region.
    pub token_count: u32,
    /// Rows in the region.
    pub row_count: u32,
    /// First row of cells.
    pub cells: u32,
    /// Bytes of a row.
    pub row_bytes: u32,
    /// First text.
    pub texts: u32,
    /// Bytes of a text.
    pub text_bytes: u32,
}

/// A region that this process made or inherited.
#[napi(js_name = "Region")]
pub struct JsRegion {
    pub(crate) region: Region,
}

pub(crate) fn failure(error: impl std::fmt::Display) -> Error {
    Error::from_reason(error.to_string())
}

#[napi]
impl JsRegion {
    /// Makes a region.
    #[napi(factory)]
    pub fn create(spec: RegionSpec) -> Result<JsRegion> {
        let RegionSpec {
            seats,
            rows,
            cells,
            tokens,
            schema,
        } = spec;
        let spec = Spec {
            seats,
            rows,
            cells,
            tokens,
            schema: schema.get_u64().1,
        };
        if spec.layout().total > 1 << 30 {
            return Err(failure("the region would be larger than 1 GiB"));
        }
        Ok(JsRegion {
            region: Region::create(spec).map_err(failure)?,
        })
    }

    /// Opens the region behind an inherited descriptor, which stays open. Refuses what is not a
    /// region of this version with names of this digest.
    #[napi(factory)]
    pub fn open(fd: i32, schema: BigInt) -> Result<JsRegion> {
        if fd < 0 {
            return Err(failure(format!("no descriptor: {fd}")));
        }
        // SAFETY: borrowed for this call only; a number that is not open makes the first system call fail.
        let file = unsafe { BorrowedFd::borrow_raw(fd) };
        // The grandchildren of the cluster have no business with the region.
        rustix::io::fcntl_setfd(file, rustix::io::FdFlags::CLOEXEC).map_err(failure)?;
        let region = Region::open(file).map_err(failure)?;
        if region.spec().schema != schema.get_u64().1 {
            return Err(failure(
                "not the shared region of this cluster: it has other names",
            ));
        }
        Ok(JsRegion { region })
    }

    /// The descriptor to inherit.
    #[napi(getter)]
    pub fn fd(&self) -> i32 {
        self.region.file().as_raw_fd()
    }

    /// Where its parts are.
    #[napi(getter)]
    pub fn layout(&self) -> RegionLayout {
        let (spec, layout) = (self.region.spec(), self.region.layout());
        RegionLayout {
            seat_count: spec.seats,
            seats: layout.seats as u32,
            seat_bytes: SEAT_BYTES as u32,
            token_count: spec.tokens,
            row_count: spec.rows,
            cells: layout.cells as u32,
            row_bytes: layout.row_bytes as u32,
            texts: layout.texts as u32,
            text_bytes: TEXT_BYTES as u32,
        }
    }

    /// An ArrayBuffer over a new mapping, which lives until the buffer is collected.
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

    /// Frees the tokens of a process that has ended; gives how many it held.
    #[napi]
    pub fn reclaim(&self, seat: u32) -> u32 {
        Budget::reclaim(&self.region, seat) as u32
    }

    /// Tokens that nobody holds.
    #[napi]
    pub fn free_tokens(&self) -> u32 {
        (0..self.region.spec().tokens as usize)
            .filter(|&token| self.region.token(token).load(Ordering::Relaxed) == 0)
            .count() as u32
    }

    /// The text of a seat.
    #[napi]
    pub fn text(&self, seat: u32) -> String {
        if seat < self.region.spec().seats {
            self.region.text(seat as usize)
        } else {
            String::new()
        }
    }
}

/// A mapping on its way to JavaScript. The safe wrapper of napi copies where external memory is not
/// allowed, and a copy would silently not be shared: here that is an error.
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

/// Has the pools that this process makes from now on share a CPU budget, for `busy` workers and one for each
/// further pool. False when they share one already: that of the cluster, or of an earlier call.
#[napi]
pub fn share_cpu(busy: u32) -> Result<bool> {
    if budget::current().is_some() {
        return Ok(false);
    }
    // The budget of a cluster of one process. Each pool has one busy worker without a token.
    let spec = Spec {
        seats: 1,
        rows: 1,
        cells: 1,
        tokens: busy.saturating_sub(1),
        schema: 0,
    };
    let region = Region::create(spec).map_err(failure)?;
    Ok(budget::set_current(Budget::new(region, 0)))
}
