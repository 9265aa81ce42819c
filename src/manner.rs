//! How threads are run: the niceness of a pool's workers, whether each stays on one CPU, and how soon a thread that
//! only wakes others gets its turn. Only Linux can set these for one thread; on other systems nothing happens.

/// How the thread of a worker is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// Added to the niceness that the thread was started with.
    pub nice: u8,
    /// Whether it runs on one CPU only: of the CPUs that the process may use, one with the fewest pinned workers.
    pub pin: bool,
}

impl Manner {
    /// Like any other thread.
    pub const USUAL: Self = Self {
        nice: 0,
        pin: false,
    };

    /// Runs the calling thread in this manner. A setting that the system refuses stays as it is.
    pub fn adopt(self) {
        #[cfg(target_os = "linux")]
        {
            if self.nice > 0 {
                linux::add_niceness(self.nice);
                linux::take_turns(linux::LONG);
            }
            if self.pin {
                linux::pin();
            }
        }
    }
}

/// Lets the calling thread run as soon as it wakes, even beside many others. For threads that only pass news on.
pub fn hurry() {
    #[cfg(target_os = "linux")]
    linux::take_turns(linux::SHORT);
}

#[cfg(target_os = "linux")]
mod linux {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    use parking_lot::Mutex;
    use rustix::process::{getpid, getpriority_process, setpriority_process};
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    /// The pinned workers of this process, by CPU.
    static PINNED: Mutex<BTreeMap<usize, u32>> = Mutex::new(BTreeMap::new());

    /// A CPU that a worker has, until its thread ends.
    struct Pin(usize);

    impl Drop for Pin {
        fn drop(&mut self) {
            let mut pinned = PINNED.lock();
            if let Some(count) = pinned.get_mut(&self.0) {
                *count -= 1;
            }
        }
    }

    thread_local! {
        static PIN: RefCell<Option<Pin>> = const { RefCell::new(None) };
    }

    /// On Linux the niceness belongs to the thread, and no pid means the calling thread.
    pub(super) fn add_niceness(nice: u8) {
        if let Ok(now) = getpriority_process(None) {
            let _ = setpriority_process(None, (now + i32::from(nice)).min(19));
        }
    }

    /// Nanoseconds of a turn at the CPU. The turns of other threads are some milliseconds.
    pub(super) const LONG: u64 = 20_000_000;
    /// The shortest turn that the system gives.
    pub(super) const SHORT: u64 = 100_000;

    /// Takes turns of this many nanoseconds, as Linux 6.12 and later have them. There a thread that wakes interrupts
    /// another at once if its own turns are shorter. Otherwise it waits for the end of a turn, whatever the niceness.
    pub(super) fn take_turns(turn: u64) {
        let Ok(nice) = getpriority_process(None) else {
            return;
        };
        let size = size_of::<libc::sched_attr>();
        let attributes = libc::sched_attr {
            size: u32::try_from(size).expect("it is small"),
            sched_policy: libc::SCHED_OTHER.cast_unsigned(),
            sched_flags: 0,
            sched_nice: nice,
            sched_priority: 0,
            sched_runtime: turn,
            sched_deadline: 0,
            sched_period: 0,
        };
        // SAFETY: both calls are about the calling thread. The second reads so many bytes of what it is given, and keeps
        // nothing.
        unsafe {
            // If the process has another policy, its user has chosen how it gives way.
            if libc::syscall(libc::SYS_sched_getscheduler, 0)
                == libc::c_long::from(libc::SCHED_OTHER)
            {
                libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0);
            }
        }
    }

    pub(super) fn pin() {
        // The CPUs of the main thread, because the calling thread may have been pinned before.
        let Ok(allowed) = sched_getaffinity(Some(getpid())) else {
            return;
        };
        let mut pinned = PINNED.lock();
        let load = |cpu: &usize| pinned.get(cpu).copied().unwrap_or(0);
        let cpus = (0..CpuSet::MAX_CPU).filter(|&cpu| allowed.is_set(cpu));
        let Some(cpu) = cpus.min_by_key(load) else {
            return;
        };
        let mut only = CpuSet::new();
        only.set(cpu);
        if sched_setaffinity(None, &only).is_ok() {
            *pinned.entry(cpu).or_insert(0) += 1;
            drop(pinned);
            PIN.with_borrow_mut(|pin| *pin = Some(Pin(cpu)));
        }
    }

    #[cfg(test)]
    mod tests {
        use std::thread;

        use super::super::Manner;
        use super::*;

        fn cpus() -> Vec<usize> {
            let set = sched_getaffinity(None).unwrap();
            (0..CpuSet::MAX_CPU)
                .filter(|&cpu| set.is_set(cpu))
                .collect()
        }

        #[test]
        fn a_thread_gets_nicer_and_no_other_does() {
            let before = getpriority_process(None).unwrap();
            let nice = thread::spawn(|| {
                Manner {
                    nice: 3,
                    pin: false,
                }
                .adopt();
                getpriority_process(None).unwrap()
            });
            assert_eq!(nice.join().unwrap(), (before + 3).min(19));
            assert_eq!(getpriority_process(None).unwrap(), before);
        }

        #[test]
        fn pinned_threads_spread_over_the_cpus_and_free_them_when_they_end() {
            let all = cpus();
            let (keep, stay) = std::sync::mpsc::channel::<()>();
            let stay = std::sync::Arc::new(Mutex::new(stay));
            let (tell, told) = std::sync::mpsc::channel();
            let threads: Vec<_> = (0..2 * all.len())
                .map(|_| {
                    let (tell, stay) = (tell.clone(), stay.clone());
                    thread::spawn(move || {
                        Manner { nice: 0, pin: true }.adopt();
                        tell.send(cpus()).unwrap();
                        let _ = stay.lock().recv();
                    })
                })
                .collect();
            let mut got: Vec<usize> = (0..threads.len())
                .flat_map(|_| told.recv().unwrap())
                .collect();
            got.sort_unstable();
            let mut twice = [all.clone(), all.clone()].concat();
            twice.sort_unstable();
            assert_eq!(got, twice);
            drop(keep);
            threads
                .into_iter()
                .for_each(|thread| thread.join().unwrap());
            assert!(PINNED.lock().values().all(|&count| count == 0));
            assert_eq!(cpus(), all, "this thread is not pinned");
        }
    }
}
