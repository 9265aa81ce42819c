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

#[cfg(test)]
pub(super) const ALL: [Step; 11] = [
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

#[cfg(test)]
static CHOSEN: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);

/// This process is to be killed there.
#[cfg(test)]
pub(super) fn choose(step: Step) {
    CHOSEN.store(step as u32, std::sync::atomic::Ordering::Relaxed);
}

#[cfg(test)]
pub(super) fn at(step: Step) {
    if CHOSEN.load(std::sync::atomic::Ordering::Relaxed) == step as u32 {
        let _ =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        // Until the signal has come.
        loop {
            std::thread::park();
        }
    }
}

#[cfg(not(test))]
#[inline(always)]
pub(super) fn at(_: Step) {}
