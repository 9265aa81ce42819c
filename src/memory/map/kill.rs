//! Kill points: where a test has a process killed, to see what it leaves behind. Outside of tests, none of this exists.

/// The points.
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
    /// An entry has made room, and its blocks belong to nobody yet.
    Evicted,
    /// The way names the new entry.
    Published,
    /// Some of its blocks are live.
    Living,
    /// All of its blocks are live.
    Lives,
    /// Some of the blocks of the old entry are free.
    Freeing,
    /// Only the unlocking is left.
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
    use std::path::PathBuf;
    use std::sync::OnceLock;
    use std::time::Duration;

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

    /// What happens at a kill point.
    #[derive(Clone, Debug)]
    pub(in super::super) enum End {
        Killed,
        /// Stops until it is continued and this file exists. So the process' other threads can be stopped first.
        Stopped(PathBuf),
    }

    static CHOSEN: OnceLock<(Step, End)> = OnceLock::new();

    /// Sets what happens to this process, and where. To be called once.
    pub(in super::super) fn choose(step: Step, end: End) {
        CHOSEN.set((step, end)).unwrap();
    }

    pub(in super::super) fn at(step: Step) {
        match CHOSEN.get() {
            Some((chosen, End::Killed)) if *chosen == step => {
                let _ = kill_process(getpid(), Signal::KILL);
                // Until the signal has come.
                loop {
                    std::thread::park();
                }
            }
            Some((chosen, End::Stopped(go))) if *chosen == step => {
                let _ = kill_process(getpid(), Signal::STOP);
                while !go.exists() {
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
            _ => {}
        }
    }
}
