//! The native half of the cluster helper, for JavaScript: the guard, the watcher, readings.

use std::os::fd::IntoRawFd;
use std::time::Duration;

use napi::bindgen_prelude::Buffer;
use napi::{Error, Result};
use napi_derive::napi;
use rustix::net::{RecvFlags, SendFlags};

use super::descriptor::borrowed;
use super::region::{JsRegion, failure, no_descriptor};
use crate::memory::map::registry;
use crate::supervise::handle::ProcessHandle;
use crate::supervise::reading::{self, Details, Usage};
use crate::supervise::watch::{Limits, Report, Watch};
use crate::supervise::{descendants, guard, listen, orphans};

/// Ends this process and those below it `grace` milliseconds after the process `parent` has ended, even while the
/// event loop is blocked.
#[napi]
pub fn guard_parent(parent: u32, grace: u32) -> Result<()> {
    guard::start(parent, Duration::from_millis(grace.into())).map_err(failure)
}

/// Kills a process at once. Returns false if it had ended already.
#[napi]
pub fn kill_process(pid: u32) -> bool {
    ProcessHandle::open(pid)
        .and_then(|handle| handle.kill())
        .is_ok()
}

/// Kills the processes below this one, except those with a session of their own.
#[napi]
pub fn kill_descendants() {
    descendants::kill();
}

/// Whether processes whose parents have ended become children of this process.
#[napi]
pub fn adopts_orphans() -> bool {
    orphans::adopts()
}

/// The children of the main thread that have ended and for which it has not waited.
#[napi]
pub fn zombies() -> Vec<u32> {
    orphans::zombies()
}

/// Waits for a child that has ended. Returns false if there is none.
#[napi]
pub fn reap(pid: u32) -> bool {
    orphans::reap(pid)
}

/// Sends a state to the service manager's socket.
#[napi]
pub fn notify(path: String, state: String) -> Result<()> {
    crate::supervise::notify::notify(&path, &state).map_err(failure)
}

/// Another descriptor of the same open file, closed on exec.
#[napi]
pub fn duplicate(fd: i32) -> Result<i32> {
    let file = borrowed(&fd).ok_or_else(|| no_descriptor(fd))?;
    rustix::io::fcntl_dupfd_cloexec(file, 3)
        .map(IntoRawFd::into_raw_fd)
        .map_err(failure)
}

/// Sends bytes at once on a socket of the caller, or does not send them. Returns how many the system took.
#[napi]
pub fn send_now(fd: i32, bytes: Buffer) -> u32 {
    let Some(socket) = borrowed(&fd) else {
        return 0;
    };
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    rustix::net::send(socket, &bytes, flags).map_or(0, |sent| sent as u32)
}

/// Whether the other end of a socket has gone, and everything that it sent was read.
#[napi]
pub fn has_ended(fd: i32) -> bool {
    let Some(socket) = borrowed(&fd) else {
        return false;
    };
    let mut byte = [0u8];
    let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
    rustix::net::recv(socket, &mut byte, flags).is_ok_and(|(read, _)| read == 0)
}

/// The bytes that have come on a socket, up to `most`, which stay there to be read. Nothing if none has come.
#[napi]
pub fn peek(fd: i32, most: u32) -> Option<Buffer> {
    let socket = borrowed(&fd)?;
    let mut bytes = vec![0; most as usize];
    let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
    let (read, _) = rustix::net::recv(socket, &mut bytes, flags).ok()?;
    bytes.truncate(read);
    Some(bytes.into())
}

/// The descriptor of a socket that listens at `path`. If a socket is there on which no program answers, it is removed
/// first. None if the system refuses.
#[napi]
pub fn listen_at_path(path: String, backlog: i32) -> Option<i32> {
    let socket = listen::at_path(std::path::Path::new(&path), backlog).ok()?;
    // As in `duplicate`: the first three may be closed, but they are reserved for other uses.
    rustix::io::fcntl_dupfd_cloexec(&socket, 3)
        .ok()
        .map(IntoRawFd::into_raw_fd)
}

/// How many threads the CPU affinity and quota of this process allow at a time; at least 1.
#[napi]
pub fn available_parallelism() -> u32 {
    crate::cpu::cpu_count() as u32
}

/// A reading of a process. Values that the platform does not tell are missing.
#[napi(object)]
pub struct ProcessReading {
    /// R running, S sleeping, T stopped, t traced, Z ended.
    pub state: String,
    /// CPU time so far, in milliseconds.
    pub cpu_ms: f64,
    /// Cores in use.
    pub cpu: Option<f64>,
    /// Resident bytes.
    pub rss: f64,
    /// Threads.
    pub threads: u32,
    /// Proportional share of memory in bytes.
    pub pss: Option<f64>,
    /// Open descriptors.
    pub fds: Option<u32>,
    /// The soft limit of descriptors.
    pub fd_limit: Option<f64>,
}

impl ProcessReading {
    fn new(usage: Usage, details: Details, cpu: Option<f64>) -> ProcessReading {
        ProcessReading {
            state: usage.state.to_string(),
            cpu_ms: usage.cpu_ms as f64,
            cpu,
            rss: usage.rss as f64,
            threads: usage.threads,
            pss: details.pss.map(|bytes| bytes as f64),
            fds: details.fds,
            fd_limit: details.fd_limit.map(|limit| limit as f64),
        }
    }
}

/// Reads a process from outside. Its proportional share of memory is read only if `share` is true.
#[napi]
pub fn read_process(pid: u32, share: bool) -> Option<ProcessReading> {
    let usage = reading::usage(pid)?;
    Some(ProcessReading::new(
        usage,
        reading::details(pid, share),
        None,
    ))
}

/// Reads what is cheap to read of a process: not its descriptors, because there may be very many.
#[napi]
pub fn read_usage(pid: u32) -> Option<ProcessReading> {
    let usage = reading::usage(pid)?;
    Some(ProcessReading::new(usage, Details::default(), None))
}

/// The program at the other end of a Unix socket.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[napi(object)]
pub struct Peer {
    /// Its user.
    pub uid: u32,
    /// Its process id, as this process sees it.
    pub pid: u32,
}

/// The program at the other end of a Unix socket, as it was when it connected.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[napi]
pub fn peer_of(fd: i32) -> Result<Peer> {
    let socket = borrowed(&fd).ok_or_else(|| no_descriptor(fd))?;
    let peer = rustix::net::sockopt::socket_peercred(socket).map_err(failure)?;
    Ok(Peer {
        uid: peer.uid.as_raw(),
        pid: peer.pid.as_raw_nonzero().get() as u32,
    })
}

/// The memory of the control group.
#[napi(object)]
pub struct GroupMemoryReading {
    /// The least limit on the way to the root, in bytes.
    pub limit: Option<f64>,
    /// Bytes in use.
    pub used: Option<f64>,
    /// The number of processes that the kernel killed for want of memory.
    pub oom_kills: Option<f64>,
}

/// Reads the control group that this process is in.
#[napi]
pub fn read_group_memory() -> GroupMemoryReading {
    let group = reading::group_memory();
    GroupMemoryReading {
        limit: group.limit.map(|bytes| bytes as f64),
        used: group.used.map(|bytes| bytes as f64),
        oom_kills: group.oom_kills.map(|count| count as f64),
    }
}

/// The limits to watch in a process; 0 means no limit.
#[napi(object)]
pub struct WatchLimits {
    /// Milliseconds for which the loop may be silent.
    pub stall: f64,
    /// Bytes of resident memory.
    pub memory: f64,
    /// The process has a helper that answers with its stack.
    pub stack: bool,
}

/// Something that happened to a watched process.
#[napi(object)]
pub struct WatchReport {
    /// "stalled" or "memory".
    pub kind: String,
    /// The process.
    pub pid: u32,
    /// Milliseconds of silence, or bytes.
    pub value: f64,
    /// The JavaScript stack, if it could be had.
    pub stack: String,
}

/// The watcher of a cluster's processes.
#[napi(js_name = "Watch")]
pub struct JsWatch {
    watch: Option<Watch>,
}

#[napi]
impl JsWatch {
    /// Starts the watcher's thread for a region, and for maps by their numbers in this process.
    #[napi(constructor)]
    pub fn new(region: &JsRegion, maps: Vec<f64>) -> Result<JsWatch> {
        let maps = maps.into_iter().filter_map(|map| registry::get(map as u64));
        let region = region.region.remap().map_err(failure)?;
        let watch = Watch::start(region, maps.collect()).map_err(failure)?;
        Ok(JsWatch { watch: Some(watch) })
    }

    fn watch(&self) -> Result<&Watch> {
        self.watch
            .as_ref()
            .ok_or_else(|| Error::from_reason("the watcher has been closed"))
    }

    /// Watches the process that has the seat.
    #[napi]
    pub fn add(&self, seat: u32, pid: u32, limits: WatchLimits) -> Result<()> {
        let limits = Limits {
            stall: (limits.stall > 0.0).then(|| Duration::from_millis(limits.stall as u64)),
            memory: (limits.memory > 0.0).then_some(limits.memory as u64),
            stack: limits.stack,
        };
        self.watch()?.add(seat as usize, pid, limits);
        Ok(())
    }

    /// Stops watching a seat.
    #[napi]
    pub fn remove(&self, seat: u32) -> Result<()> {
        self.watch()?.remove(seat as usize);
        Ok(())
    }

    /// Takes the reports since the last call.
    #[napi]
    pub fn take(&self) -> Result<Vec<WatchReport>> {
        let reports = self.watch()?.take().into_iter().map(|report| match report {
            Report::Stalled {
                pid,
                silent_ms,
                stack,
            } => WatchReport {
                kind: "stalled".into(),
                pid,
                value: silent_ms as f64,
                stack,
            },
            Report::Memory { pid, rss } => WatchReport {
                kind: "memory".into(),
                pid,
                value: rss as f64,
                stack: String::new(),
            },
        });
        Ok(reports.collect())
    }

    /// The last reading of the process in a seat; none before the first reading.
    #[napi]
    pub fn reading(&self, seat: u32) -> Result<Option<ProcessReading>> {
        let reading = self.watch()?.reading(seat as usize);
        Ok(reading
            .map(|reading| ProcessReading::new(reading.usage, reading.details, Some(reading.cpu))))
    }

    /// Stops the thread.
    #[napi]
    pub fn close(&mut self) {
        self.watch = None;
    }
}
