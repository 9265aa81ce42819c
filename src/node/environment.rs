//! The native side of one environment (the main thread, or an isolate), and its end.
//!
//! The engine's clean-up hook shuts the doorbell first. Then it destroys the pools that the environment owns: their
//! threads see their tasks cancelled and end, and their results have nowhere to go. If the environment is a worker of
//! another's pool, the owner of that pool is told that the isolate no longer runs. The owner also sees it exit, but not
//! while its event loop is blocked.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::ffi::c_void;
use std::ptr;
use std::sync::{Arc, LazyLock, Weak};

use napi::sys;
use parking_lot::Mutex;

use super::blob::Long;
use super::call::{Call, Fault, check};
use super::doorbell::Doorbell;
use super::memory::Memories;
use super::{blob, drain, hot, member, plugins, pool, readings};
#[cfg(unix)]
use super::{limits, locks};
use crate::memory::borrowed::Borrowed;
use crate::memory::loan::{Lent, Loan, Returned};
#[cfg(unix)]
use crate::memory::ring::Listener;
use crate::scheduler::{Message, Outbox, Scheduler, WorkerId};

/// All pools of the process, by the number that tells an isolate which one to join.
static POOLS: LazyLock<Mutex<Pools>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Pools {
    last: u32,
    by_uid: HashMap<u32, Weak<Scheduler>>,
}

/// A pool of this environment, and its number.
type Owned = (u32, Arc<Scheduler>);

pub(super) struct Environment {
    pub(super) env: sys::napi_env,
    pub(super) memories: Memories,
    pub(super) doorbell: Arc<Doorbell>,
    pub(super) outbox: Arc<Outbox>,
    /// The class of its own pools.
    class: Cell<sys::napi_ref>,
    /// Its own pools, by index. An index is free again once JavaScript has released its pool.
    pools: RefCell<Vec<Option<Owned>>>,
    /// The pool that it works for, if it is a worker.
    member: RefCell<Option<(Arc<Scheduler>, WorkerId)>>,
    /// Messages that were taken out of the outbox and did not fit into the last drain.
    pub(super) taken: RefCell<VecDeque<Message>>,
    /// Bytes that are too long for notices, until JavaScript has fetched them.
    pub(super) blobs: RefCell<Vec<Long>>,
    /// The input of the worker's task, if it is too long, until JavaScript has fetched it.
    pub(super) long_input: Cell<Option<Long>>,
    /// The cancel flags of the worker, which the doorbell uses. They live as long as this is kept.
    flags: Cell<sys::napi_ref>,
    /// Memory of this environment that tasks count into, and what keeps it alive.
    counters: RefCell<Vec<(Arc<Borrowed>, sys::napi_ref)>>,
    /// Memory of this environment that tasks read in place, and what keeps it alive.
    lent: RefCell<HashMap<u64, (Arc<Loan>, sys::napi_ref)>>,
    /// How many there have been so far.
    last_lent: Cell<u64>,
    /// Lent memory that no task names any more.
    returned: Arc<Returned>,
    /// Bytes of inputs that the engine has been told.
    told: Cell<isize>,
    /// The messages of the cluster that it hears.
    #[cfg(unix)]
    pub(super) listener: RefCell<Option<Listener>>,
    /// The connections whose first bytes it waits for.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(super) first_bytes: RefCell<Option<crate::supervise::first_bytes::FirstBytes>>,
    /// The locks of the cluster, if this environment has opened them.
    #[cfg(unix)]
    pub(super) locks: RefCell<Option<locks::Open>>,
    /// The tables of keys of the cluster, if this environment has opened them.
    #[cfg(unix)]
    pub(super) keys: RefCell<Option<limits::Keys>>,
    /// The memory that shared maps write to.
    #[cfg(unix)]
    pub(super) map_memory: OnceCell<super::map::MapMemory>,
}

/// The engine is told this many bytes at once, because telling takes longer than anything else that most tasks need.
const ACCOUNT_STEP: usize = 1 << 20;

impl Environment {
    /// The pool with this index.
    pub(super) fn with_pool<T>(
        &self,
        index: u32,
        f: impl FnOnce(&Arc<Scheduler>) -> T,
    ) -> Result<T, Fault> {
        match self.pools.borrow().get(index as usize) {
            Some(Some((_, pool))) => Ok(f(pool)),
            _ => Err(Fault("the pool has ended")),
        }
    }

    /// An object of the class, without a pool yet.
    pub(super) fn new_pool_object(&self) -> Result<sys::napi_value, Fault> {
        let (mut class, mut object) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: a reference of this environment, on its thread.
        let status =
            unsafe { sys::napi_get_reference_value(self.env, self.class.get(), &mut class) };
        check(status, "no class")?;
        check(
            // SAFETY: the class takes no argument.
            unsafe { sys::napi_new_instance(self.env, class, 0, ptr::null(), &mut object) },
            "no pool",
        )?;
        Ok(object)
    }

    pub(super) fn with_member<T>(
        &self,
        f: impl FnOnce(&Arc<Scheduler>, WorkerId) -> T,
    ) -> Result<T, Fault> {
        match &*self.member.borrow() {
            Some((pool, id)) => Ok(f(pool, *id)),
            None => Err(Fault("this environment is no worker")),
        }
    }

    /// Adds a pool, made from the number that it gets. Returns its index and that number with it.
    pub(super) fn add_pool<E>(
        &self,
        make: impl FnOnce(u32) -> Result<Arc<Scheduler>, E>,
    ) -> Result<(u32, u32, Arc<Scheduler>), E> {
        let mut registry = POOLS.lock();
        registry.last += 1;
        let uid = registry.last;
        let pool = make(uid)?;
        registry.by_uid.insert(uid, Arc::downgrade(&pool));
        drop(registry);
        let mut pools = self.pools.borrow_mut();
        let index = pools.iter().position(Option::is_none).unwrap_or_else(|| {
            pools.push(None);
            pools.len() - 1
        });
        pools[index] = Some((uid, Arc::clone(&pool)));
        let index = u32::try_from(index).expect("fewer pools than memory");
        Ok((index, uid, pool))
    }

    pub(super) fn release_pool(&self, index: u32) {
        let mut pools = self.pools.borrow_mut();
        let released = pools.get_mut(index as usize).and_then(Option::take);
        if let Some((uid, _)) = released {
            POOLS.lock().by_uid.remove(&uid);
        }
    }

    /// Enlists the environment as a future worker of the pool with this number. Returns false if there is no such pool.
    pub(super) fn enlist(&self, uid: u32, id: WorkerId) -> bool {
        let Some(pool) = POOLS.lock().by_uid.get(&uid).and_then(Weak::upgrade) else {
            return false;
        };
        pool.has_begun(id);
        *self.member.borrow_mut() = Some((pool, id));
        true
    }

    /// Becomes the worker as which it was enlisted. Returns false if the pool does not know it any more.
    pub(super) fn join(&self) -> Result<bool, Fault> {
        self.with_member(|pool, id| pool.join(id, Arc::clone(&self.doorbell) as _))
    }

    /// Tells the engine what its garbage collector cannot see: how many bytes wait in the pools.
    pub(super) fn account(&self) {
        let queued = self.outbox.queued_bytes();
        let change = queued - self.told.get();
        if change == 0 || change.unsigned_abs() < ACCOUNT_STEP {
            return;
        }
        self.told.set(queued);
        let mut sum = 0;
        // SAFETY: this environment, on its thread; the out-pointer is local.
        unsafe { sys::napi_adjust_external_memory(self.env, change as i64, &mut sum) };
    }

    /// Keeps `reference` until no task counts into the memory any more.
    pub(super) fn lend(&self, memory: Arc<Borrowed>, reference: sys::napi_ref) {
        self.counters.borrow_mut().push((memory, reference));
    }

    /// Lends `length` bytes from `data` on, to be read in place. Keeps `reference` until no task names them any more.
    ///
    /// # Safety
    /// The reference keeps the bytes where they are, and nobody writes them meanwhile, unless they are `shared`.
    pub(super) unsafe fn lend_bytes(
        &self,
        data: *const u8,
        length: usize,
        shared: bool,
        reference: sys::napi_ref,
    ) -> Lent {
        let id = self.last_lent.get() + 1;
        self.last_lent.set(id);
        // SAFETY: as the caller promises; the clean-up closes the loan before the bytes are freed.
        let loan = unsafe { Loan::new(data, length, shared, id, Arc::clone(&self.returned)) };
        let lent = loan.lend();
        self.lent.borrow_mut().insert(id, (loan, reference));
        lent
    }

    /// Gives the doorbell new cancel flags, a typed array on shared memory, and keeps them.
    pub(super) fn set_flags(&self, call: &Call, flags: sys::napi_value) -> Result<(), Fault> {
        let (data, bytes) = call.view(flags).ok_or(Fault("expected an Int32Array"))?;
        if data.addr() % 4 != 0 {
            return Err(Fault("the flags are not aligned"));
        }
        let mut reference = ptr::null_mut();
        check(
            // SAFETY: a reference to an argument of the running call.
            unsafe { sys::napi_create_reference(self.env, flags, 1, &mut reference) },
            "no reference",
        )?;
        // SAFETY: shared memory does not move, the reference keeps it until others are set or the environment ends,
        // and JavaScript uses it through Atomics only.
        unsafe { self.doorbell.set_flags(data.cast(), bytes / 4) };
        let before = self.flags.replace(reference);
        if !before.is_null() {
            // SAFETY: a reference of this environment, on its thread, deleted once; nobody uses the flags any more.
            unsafe { sys::napi_delete_reference(self.env, before) };
        }
        Ok(())
    }

    /// Lets go of memory that no task uses any more.
    pub(super) fn collect_lent(&self) {
        for id in self.returned.take() {
            if let Some((_, reference)) = self.lent.borrow_mut().remove(&id) {
                // SAFETY: a reference of this environment, on its thread, deleted once.
                unsafe { sys::napi_delete_reference(self.env, reference) };
            }
        }
        let mut counters = self.counters.borrow_mut();
        if counters.is_empty() {
            return;
        }
        counters.retain_mut(|(memory, reference)| {
            // This reference is the only one left: no task can get another one, and everything that tasks did happened
            // before.
            let used = Arc::get_mut(memory).is_none();
            if !used {
                // SAFETY: a reference of this environment, on its thread, deleted once.
                unsafe { sys::napi_delete_reference(self.env, *reference) };
            }
            used
        });
    }
}

/// Makes the environment's side, and binds its functions to it.
pub(super) fn open(
    env: sys::napi_env,
    memories: Memories,
    on_ring: sys::napi_value,
    on_turn: sys::napi_value,
    exports: sys::napi_value,
) -> napi::Result<()> {
    make(env, memories, on_ring, on_turn, exports)
        .map_err(|Fault(message)| napi::Error::from_reason(message))
}

fn make(
    env: sys::napi_env,
    memories: Memories,
    on_ring: sys::napi_value,
    on_turn: sys::napi_value,
    exports: sys::napi_value,
) -> Result<(), Fault> {
    let doorbell = Doorbell::hang(env, on_ring, on_turn)?;
    let outbox = Arc::new(Outbox::default());
    outbox.attach(Arc::clone(&doorbell) as _);
    let environment = Box::into_raw(Box::new(Environment {
        env,
        memories,
        doorbell,
        outbox,
        class: Cell::new(ptr::null_mut()),
        pools: RefCell::default(),
        member: RefCell::default(),
        taken: RefCell::default(),
        blobs: RefCell::default(),
        long_input: Cell::default(),
        flags: Cell::new(ptr::null_mut()),
        counters: RefCell::default(),
        lent: RefCell::default(),
        last_lent: Cell::default(),
        returned: Arc::default(),
        told: Cell::default(),
        #[cfg(unix)]
        listener: RefCell::default(),
        #[cfg(any(target_os = "linux", target_os = "android"))]
        first_bytes: RefCell::default(),
        locks: RefCell::default(),
        #[cfg(unix)]
        keys: RefCell::default(),
        #[cfg(unix)]
        map_memory: OnceCell::new(),
    }));
    // After the threadsafe function, so that this runs before the engine frees it.
    check(
        // SAFETY: the hook gets the pointer just made, once.
        unsafe { sys::napi_add_env_cleanup_hook(env, Some(close), environment.cast()) },
        "no clean-up hook",
    )?;
    let class = pool::define(env, environment)?;
    // SAFETY: just made, and nobody else has it yet.
    unsafe { &*environment }.class.set(class);
    hot::bind_all(env, exports, environment)?;
    drain::bind_all(env, exports, environment)?;
    blob::bind_all(env, exports, environment)?;
    member::bind_all(env, exports, environment)?;
    pool::bind_all(env, exports, environment)?;
    plugins::bind_all(env, exports, environment)?;
    #[cfg(unix)]
    super::ring::bind_all(env, exports, environment)?;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    super::first_bytes::bind_all(env, exports, environment)?;
    locks::bind_all(env, exports, environment)?;
    #[cfg(unix)]
    limits::bind_all(env, exports, environment)?;
    #[cfg(unix)]
    super::map::bind_all(env, exports, environment)?;
    readings::bind_all(env, exports, environment)
}

/// The environment ends: no JavaScript runs in it any more.
unsafe extern "C" fn close(environment: *mut c_void) {
    // SAFETY: made in `make`, and taken back here, once; the bound functions cannot be called now.
    let environment = unsafe { Box::from_raw(environment.cast::<Environment>()) };
    environment.doorbell.shut();
    for (memory, _) in environment.counters.borrow().iter() {
        memory.close();
    }
    for (uid, pool) in environment.pools.borrow_mut().drain(..).flatten() {
        POOLS.lock().by_uid.remove(&uid);
        pool.destroy();
    }
    if let Some((pool, id)) = environment.member.take() {
        pool.gone(id);
    }
    // Last, because the tasks that read there have been given up by now.
    for (loan, _) in environment.lent.borrow().values() {
        loan.close();
    }
}
