//! An outbox and its doorbell, and the block of a thread that waits for it.

use loom::sync::Arc;
use loom::thread;

use super::blocked::Blocked;
use super::job::Job;
use super::{Ring, Ringer};
use crate::sync::{Condvar, Mutex, Post};

/// An event loop: woken once per call of `wake`, however often that comes before it turns.
#[derive(Debug, Default)]
struct Loop {
    woken: Mutex<bool>,
    changed: Condvar,
}

impl Loop {
    fn wake(&self) {
        *self.woken.lock() = true;
        self.changed.notify_one();
    }

    fn turn(&self) {
        let mut woken = self.woken.lock();
        while !*woken {
            self.changed.wait(&mut woken);
        }
        *woken = false;
    }
}

#[derive(Debug, Default)]
struct Environment {
    outbox: Post<u32>,
    ringer: Ringer,
    event_loop: Loop,
}

impl Environment {
    fn send(&self, message: u32) {
        self.outbox.put(message);
        self.ringer.ring(Ring::Outbox, || self.event_loop.wake());
    }

    /// What a doorbell does: answers, then looks.
    fn drain(&self) -> Vec<u32> {
        self.event_loop.turn();
        self.ringer.answer();
        self.outbox.take_all()
    }
}

#[test]
fn no_message_is_left_in_an_outbox_whose_loop_sleeps() {
    loom::model(|| {
        let environment = Arc::new(Environment::default());
        let senders: Vec<_> = (1..=2)
            .map(|message| {
                let environment = Arc::clone(&environment);
                thread::spawn(move || environment.send(message))
            })
            .collect();
        // A message that woke nobody would have this sleep for ever, which loom finds as a deadlock.
        let mut got = 0;
        while got < 2 {
            got += environment.drain().len();
        }
        for sender in senders {
            sender.join().unwrap();
        }
    });
}

#[test]
fn what_one_sender_sends_twice_wakes_for_the_second_too() {
    loom::model(|| {
        let environment = Arc::new(Environment::default());
        let sender = {
            let environment = Arc::clone(&environment);
            thread::spawn(move || {
                environment.send(1);
                environment.send(2);
            })
        };
        let mut got = Vec::new();
        while got.len() < 2 {
            got.extend(environment.drain());
        }
        assert_eq!(got, [1, 2]);
        sender.join().unwrap();
    });
}

#[test]
fn a_message_in_a_port_is_found_though_its_receiver_is_about_to_block() {
    loom::model(|| {
        let blocked = Arc::new(Blocked::default());
        let port = Arc::new(Post::default());
        let environment = Arc::new(Environment::default());
        let worker = {
            let (blocked, port, environment) = (
                Arc::clone(&blocked),
                Arc::clone(&port),
                Arc::clone(&environment),
            );
            thread::spawn(move || {
                port.put(7);
                if blocked.is_set() {
                    environment.send(1);
                }
            })
        };
        blocked.set(true);
        let mut found = port.take_all();
        while found.is_empty() {
            // It sleeps on the outbox alone; a port does not wake it.
            environment.drain();
            found = port.take_all();
        }
        blocked.set(false);
        assert_eq!(found, [7]);
        worker.join().unwrap();
    });
}

/// What the scheduler's lock is for here: who comes in has found the job offered.
#[derive(Default)]
struct Offered(Mutex<Option<Arc<Job>>>);

impl Offered {
    fn help(&self) {
        let offered = self.0.lock();
        let job = offered.as_ref().map(Arc::clone);
        if let Some(job) = &job {
            job.enter();
        }
        drop(offered);
        if let Some(job) = job {
            job.work(|| false);
            job.leave();
        }
    }
}

/// What the chunks of a job write: loom reports two that write one cell, and a read that is not after the writes.
struct Written(Vec<loom::cell::UnsafeCell<u32>>);

unsafe extern "C" fn write(data: *const std::ffi::c_void, index: usize) -> u32 {
    // SAFETY: each index is given out once, and the data are there until nobody is inside: that is what is shown.
    let written = unsafe { &*data.cast::<Written>() };
    written.0[index].with_mut(|cell| unsafe { *cell += 1 });
    0
}

fn share_chunks(count: usize, helpers: usize) {
    loom::model(move || {
        let offered = Arc::new(Offered::default());
        let helpers: Vec<_> = (0..helpers)
            .map(|_| {
                let offered = Arc::clone(&offered);
                thread::spawn(move || offered.help())
            })
            .collect();
        let cancelled = crate::sync::AtomicU32::new(0);
        let written = Written((0..count).map(|_| loom::cell::UnsafeCell::new(0)).collect());
        let job = unsafe { Job::new(count, (&raw const written).cast(), write, &cancelled) };
        let job = Arc::new(job);
        *offered.0.lock() = Some(Arc::clone(&job));
        job.work(|| false);
        *offered.0.lock() = None;
        job.wait();
        for cell in &written.0 {
            cell.with(|cell| assert_eq!(unsafe { *cell }, 1, "each chunk runs once"));
        }
        drop((written, cancelled));
        for helper in helpers {
            helper.join().unwrap();
        }
    });
}

#[test]
fn each_chunk_of_a_job_runs_once_and_what_they_wrote_is_seen() {
    share_chunks(3, 1);
}

#[test]
fn who_has_the_task_waits_for_the_last_of_several_helpers() {
    share_chunks(2, 2);
}
