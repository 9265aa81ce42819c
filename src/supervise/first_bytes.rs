//! Waiting for the first bytes of connections that were just accepted, without reading them.
//!
//! A new connection exists a little before the data of its client. A caller that wants to see the data first puts the
//! connection here. It is called back when some connections have bytes, have ended, or have waited for long enough.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use rustix::buffer::spare_capacity;
use rustix::event::{EventfdFlags, Timespec, epoll, eventfd};

/// The name of the bell among the connections.
const BELL: u64 = u64::MAX;

/// A running thread. Dropping this ends the thread, and closes the waiting connections.
#[derive(Debug)]
pub struct FirstBytes {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    epoll: OwnedFd,
    bell: OwnedFd,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// By the names that the caller has given: when each has waited for long enough, and a copy of its descriptor.
    waiting: HashMap<u32, (Instant, OwnedFd)>,
    /// The same connections in the order in which their waits end.
    due: BTreeSet<(Instant, u32)>,
    /// The connections that no longer wait.
    ready: Vec<u32>,
    stopped: bool,
}

impl FirstBytes {
    /// Starts the thread. It calls `on_ready` when there is something to [`take`](Self::take).
    pub fn start(on_ready: impl Fn() + Send + 'static) -> io::Result<FirstBytes> {
        let shared = Arc::new(Shared {
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            bell: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
            state: Mutex::default(),
        });
        epoll::add(
            &shared.epoll,
            &shared.bell,
            epoll::EventData::new_u64(BELL),
            epoll::EventFlags::IN,
        )?;
        let theirs = Arc::clone(&shared);
        thread::Builder::new()
            .name("rspool-first-bytes".into())
            .stack_size(64 * 1024)
            .spawn(move || theirs.run(on_ready))?;
        Ok(FirstBytes { shared })
    }

    /// Waits for the first bytes of a connection, of which `socket` is a copy, for no longer than `patience`.
    pub fn wait(&self, name: u32, socket: OwnedFd, patience: Duration) -> io::Result<()> {
        let mut state = self.shared.state.lock();
        epoll::add(
            &self.shared.epoll,
            &socket,
            epoll::EventData::new_u64(name.into()),
            epoll::EventFlags::IN | epoll::EventFlags::RDHUP | epoll::EventFlags::ONESHOT,
        )?;
        let due = (Instant::now() + patience, name);
        state.waiting.insert(name, (due.0, socket));
        state.due.insert(due);
        let first = state.due.first() == Some(&due);
        drop(state);
        // The thread sleeps until a later time.
        if first {
            self.shared.ring();
        }
        Ok(())
    }

    /// Takes the connections that no longer wait.
    pub fn take(&self) -> Vec<u32> {
        std::mem::take(&mut self.shared.state.lock().ready)
    }
}

impl Drop for FirstBytes {
    fn drop(&mut self) {
        self.shared.state.lock().stopped = true;
        self.shared.ring();
    }
}

impl Shared {
    fn ring(&self) {
        // If the counter is full, it has been rung often enough.
        let _ = rustix::io::write(&self.bell, &1u64.to_ne_bytes());
    }

    /// The connection no longer waits.
    fn end(&self, state: &mut State, name: u32) {
        let Some((due, socket)) = state.waiting.remove(&name) else {
            return;
        };
        state.due.remove(&(due, name));
        // The system would keep it until the connection ends, since other descriptors of it are open.
        let _ = epoll::delete(&self.epoll, &socket);
        state.ready.push(name);
    }

    fn run(&self, on_ready: impl Fn()) {
        let mut events = Vec::with_capacity(64);
        loop {
            let limit = {
                let state = self.state.lock();
                if state.stopped {
                    return;
                }
                state
                    .due
                    .first()
                    .map(|(due, _)| due.saturating_duration_since(Instant::now()))
            };
            let limit = limit.map(|limit| Timespec {
                tv_sec: limit.as_secs() as _,
                tv_nsec: limit.subsec_nanos() as _,
            });
            events.clear();
            // An interruption only ends the wait early.
            let _ = epoll::wait(&self.epoll, spare_capacity(&mut events), limit.as_ref());
            let mut state = self.state.lock();
            for event in &events {
                match u32::try_from(event.data.u64()) {
                    Ok(name) => self.end(&mut state, name),
                    Err(_) => {
                        let mut count = [0; 8];
                        let _ = rustix::io::read(&self.bell, &mut count);
                    }
                }
            }
            let now = Instant::now();
            while let Some(&(due, name)) = state.due.first()
                && due <= now
            {
                self.end(&mut state, name);
            }
            let any = !state.ready.is_empty();
            drop(state);
            if any {
                on_ready();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;
    use std::sync::mpsc;

    const PATIENCE: Duration = Duration::from_millis(100);
    const LONG: Duration = Duration::from_secs(600);

    #[test]
    fn those_with_bytes_come_first_and_the_silent_ones_after_a_while() {
        let (sender, calls) = mpsc::channel();
        let bytes = FirstBytes::start(move || sender.send(()).unwrap()).unwrap();
        let pairs: Vec<_> = (0..3).map(|_| UnixStream::pair().unwrap()).collect();
        for (name, (socket, _)) in (0..).zip(&pairs) {
            bytes
                .wait(name, socket.try_clone().unwrap().into(), PATIENCE)
                .unwrap();
        }
        (&pairs[1].1).write_all(b"x").unwrap();
        let mut ended = Vec::new();
        while ended.len() < 3 {
            calls.recv().unwrap();
            ended.extend(bytes.take());
        }
        assert_eq!(ended[0], 1);
        ended.sort_unstable();
        assert_eq!(ended, [0, 1, 2]);
    }

    #[test]
    fn each_waits_for_as_long_as_it_may() {
        let (sender, calls) = mpsc::channel();
        let bytes = FirstBytes::start(move || sender.send(()).unwrap()).unwrap();
        let (one, _other) = UnixStream::pair().unwrap();
        let (two, mut late) = UnixStream::pair().unwrap();
        bytes.wait(1, two.into(), LONG).unwrap();
        bytes.wait(2, one.into(), PATIENCE).unwrap();
        calls.recv().unwrap();
        assert_eq!(bytes.take(), [2]);
        late.write_all(b"x").unwrap();
        calls.recv().unwrap();
        assert_eq!(bytes.take(), [1]);
    }

    #[test]
    fn the_system_forgets_those_that_no_longer_wait() {
        let (sender, calls) = mpsc::channel();
        let bytes = FirstBytes::start(move || sender.send(()).unwrap()).unwrap();
        let known = {
            let epoll = bytes.shared.epoll.as_raw_fd();
            move || {
                let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{epoll}")).unwrap();
                info.matches("tfd:").count()
            }
        };
        let (silent, _other) = UnixStream::pair().unwrap();
        bytes
            .wait(1, silent.try_clone().unwrap().into(), PATIENCE)
            .unwrap();
        assert_eq!(known(), 2);
        calls.recv().unwrap();
        assert_eq!(bytes.take(), [1]);
        // The bell stays.
        assert_eq!(known(), 1);
    }

    #[test]
    fn one_that_ends_waits_no_longer_and_the_thread_ends_with_its_owner() {
        let (sender, calls) = mpsc::channel();
        let bytes = FirstBytes::start(move || sender.send(()).unwrap()).unwrap();
        let (socket, other) = UnixStream::pair().unwrap();
        bytes.wait(7, socket.into(), LONG).unwrap();
        drop(other);
        calls.recv().unwrap();
        assert_eq!(bytes.take(), [7]);
        drop(bytes);
        while calls.recv().is_ok() {}
    }
}
