//! Kill points: where a test has a process killed, to see what is left behind. In a program that is no test nothing
//! of this is there.

/// Where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
#[cfg_attr(not(test), allow(dead_code, reason = "points of tests"))]
pub(super) enum Step {
    /// Some of the blocks of an entry are taken.
    Taking = 1,
    /// Some of the blocks are written.
    Filling,
    /// All blocks are written.
    Filled,
    /// The set is locked.
    Locked,
    /// An entry has made room, and its blocks are nobody's yet.
    Evicted,
    /// The way names the new entry.
    Published,
    /// Some of its blocks are live.
    Living,
    /// All of its blocks are live.
    Lives,
    /// Some of the blocks of the old entry are free.
    Freeing,
    /// Everything is done but the unlocking.
    Done,
    /// The way names nothing any more.
    Removed,
}

#[cfg(not(test))]
#[inline(always)]
pub(super) fn at(_: Step) {}

#[cfg(test)]
pub(super) use points::{ALL, End, at, choose};

#[cfg(test)]
mod points {
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    use rustix::process::{Signal, getpid, kill_process};

    use super::Step;

    pub(in super::super) const ALL: [Step; 11] = [
        Step::Taking,
        Step::Filling,
        Step::Filled,
        Step::Locked,
        Step::Evicted,
        Step::Published,
        Step::Living,
        Step::Lives,
        Step::Freeing,
        Step::Done,
        Step::Removed,
    ];

    /// What happens there.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(in super::super) enum End {
        Killed,
        Stopped,
    }

    static CHOSEN: AtomicU32 = AtomicU32::new(0);
    static STOPS: AtomicU32 = AtomicU32::new(0);

    /// What is to happen to this process, and where.
    pub(in super::super) fn choose(step: Step, end: End) {
        STOPS.store(u32::from(end == End::Stopped), Relaxed);
        CHOSEN.store(step as u32, Relaxed);
    }

    pub(in super::super) fn at(step: Step) {
        if CHOSEN.load(Relaxed) != step as u32 {
            return;
        }
        if STOPS.load(Relaxed) != 0 {
            // It goes on when it is continued.
            let _ = kill_process(getpid(), Signal::STOP);
            return;
        }
        let _ = kill_process(getpid(), Signal::KILL);
        // Until the signal has come.
        loop {
            std::thread::park();
        }
    }
}
