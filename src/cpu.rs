//! How many CPUs this process may use.

use std::{num::NonZero, thread};

/// The number of CPUs that this process may keep busy, at least 1: the processors of its affinity mask, but no more
/// than its cgroup's CPU quota (version 1 or 2, of the group and its parents).
///
/// A fractional quota is rounded down, so 1.5 CPUs count as 1. With one worker more than the quota covers, the kernel
/// would stop the whole process, including the event loop, for the rest of each period. A pool exists to prevent that.
///
/// This asks two readers, the standard library and `num_cpus`, and takes the smaller number: each knows set-ups that
/// the other does not (cgroup mounts, platforms). It reads anew each time, because affinity and quota may change, and
/// takes tens of microseconds.
pub fn cpu_count() -> usize {
    smaller(
        thread::available_parallelism().map_or(usize::MAX, NonZero::get),
        num_cpus::get(),
    )
}

fn smaller(std: usize, num_cpus: usize) -> usize {
    std.min(num_cpus).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smaller_reading_wins_and_there_is_always_one() {
        assert_eq!(smaller(8, 2), 2);
        assert_eq!(smaller(1, 2), 1);
        assert_eq!(smaller(usize::MAX, 4), 4);
        assert_eq!(smaller(0, 0), 1);
    }

    #[test]
    fn is_within_what_the_machine_has() {
        let count = cpu_count();
        assert!(count >= 1 && count <= num_cpus::get());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn honours_the_affinity_mask() {
        // The mask is inherited, so a child of this test reads a narrower one than that of the machine.
        const CHILD: &str = "RSPOOL_CPU_COUNT_CHILD";
        if std::env::var_os(CHILD).is_some() {
            assert_eq!(cpu_count(), 1);
            return;
        }
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let allowed = status
            .lines()
            .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))
            .unwrap()
            .trim();
        let first = allowed.split([',', '-']).next().unwrap();
        let child = std::process::Command::new("taskset")
            .args(["-c", first])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "cpu::tests::honours_the_affinity_mask"])
            .env(CHILD, "1")
            .output()
            .expect("taskset runs");
        assert!(child.status.success(), "{child:?}");
        assert!(String::from_utf8_lossy(&child.stdout).contains("1 passed"));
    }
}
