//! Readings of a process and of the control group, taken from outside: they are right even while the process hangs.
//!
//! The files are those of Linux (`proc(5)`, the kernel's documents on cgroup v1 and v2). On other systems every reading
//! is absent.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::SplitAsciiWhitespace;

/// The scheduler's state letter and the use of the CPU and of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// As in `/proc/<pid>/stat`: R running, S sleeping, T stopped, t traced, Z ended.
    pub state: char,
    /// CPU time used so far, user and system, in milliseconds.
    pub cpu_ms: u64,
    /// Resident memory in bytes.
    pub rss: u64,
    /// Threads.
    pub threads: u32,
}

/// Readings that cost more than [`Usage`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// Proportional share of memory in bytes.
    pub pss: Option<u64>,
    /// Open descriptors.
    pub fds: Option<u32>,
    /// The soft limit of descriptors.
    pub fd_limit: Option<u64>,
}

/// Reads the usage of `pid`. None if the process has ended or the platform has no `/proc`.
pub fn usage(pid: u32) -> Option<Usage> {
    parse_stat(
        &fs::read_to_string(format!("/proc/{pid}/stat")).ok()?,
        ticks_per_second(),
        page_size(),
    )
}

/// The system's number of the calling thread, on a system that tells what threads use.
pub fn this_thread() -> Option<u32> {
    #[cfg(target_os = "linux")]
    {
        u32::try_from(rustix::thread::gettid().as_raw_nonzero().get()).ok()
    }
    #[cfg(not(target_os = "linux"))]
    {
        None
    }
}

/// The state letter of a thread of this process, and its CPU time so far (user and system) in milliseconds.
pub fn thread_usage(thread: u32) -> Option<(char, u64)> {
    let stat = fs::read_to_string(format!("/proc/self/task/{thread}/stat")).ok()?;
    let usage = parse_stat(&stat, ticks_per_second(), page_size())?;
    Some((usage.state, usage.cpu_ms))
}

/// The session of `pid`. It is 0 if the session began outside of this process' pid namespace: all processes of such a
/// session read the same 0, and `rustix` takes the id from the system call for broken.
pub fn session(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    past_name(&stat)?.nth(3)?.parse().ok()
}

/// When the process began, as the system counts. Together with its number, this distinguishes it from every other
/// process since the system started. None if the system does not tell.
pub fn started(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    past_name(&stat)?.nth(19)?.parse().ok()
}

/// Reads what [`usage`] leaves out. The share of memory costs a walk over all mappings, so it is read only on request.
pub fn details(pid: u32, share: bool) -> Details {
    let read = |name: &str| fs::read_to_string(format!("/proc/{pid}/{name}")).ok();
    Details {
        pss: share
            .then(|| read("smaps_rollup"))
            .flatten()
            .and_then(|text| keyed_kib(&text, "Pss:")),
        fds: fs::read_dir(format!("/proc/{pid}/fd"))
            .ok()
            .map(|entries| entries.count() as u32),
        fd_limit: read("limits").and_then(|text| open_files_limit(&text)),
    }
}

/// Resident memory in bytes that the process has to itself: the heap and the program's files, without shared memory,
/// which belongs to all processes that map it.
pub fn own_memory(pid: u32) -> Option<u64> {
    parse_own_memory(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?)
}

fn parse_own_memory(text: &str) -> Option<u64> {
    Some(keyed_kib(text, "RssAnon:")? + keyed_kib(text, "RssFile:")?)
}

/// The fields of a `stat` file that follow the name.
fn past_name(text: &str) -> Option<SplitAsciiWhitespace<'_>> {
    // The name in parentheses may hold spaces and parentheses; nothing after it does.
    Some(text[text.rfind(')')? + 1..].split_ascii_whitespace())
}

fn parse_stat(text: &str, ticks: u64, page: u64) -> Option<Usage> {
    let mut fields = past_name(text)?;
    let state = fields.next()?.chars().next()?;
    let mut number = |skip: usize| fields.nth(skip)?.parse::<u64>().ok();
    let cpu = number(10)? + number(0)?;
    let threads = number(4)?;
    let pages = number(3)?;
    Some(Usage {
        state,
        cpu_ms: cpu * 1000 / ticks,
        rss: pages * page,
        threads: threads as u32,
    })
}

fn keyed_kib(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.starts_with(key))?;
    line.split_ascii_whitespace()
        .nth(1)?
        .parse::<u64>()
        .ok()
        .map(|kib| kib * 1024)
}

fn open_files_limit(text: &str) -> Option<u64> {
    let line = text
        .lines()
        .find(|line| line.starts_with("Max open files"))?;
    line.split_ascii_whitespace().nth(3)?.parse().ok()
}

#[cfg(target_os = "linux")]
fn ticks_per_second() -> u64 {
    rustix::param::clock_ticks_per_second()
}

#[cfg(target_os = "linux")]
fn page_size() -> u64 {
    rustix::param::page_size() as u64
}

#[cfg(not(target_os = "linux"))]
fn ticks_per_second() -> u64 {
    100
}

#[cfg(not(target_os = "linux"))]
fn page_size() -> u64 {
    4096
}

/// The memory of the control group that this process is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupMemory {
    /// The least limit on the way to the root, in bytes.
    pub limit: Option<u64>,
    /// Bytes in use.
    pub used: Option<u64>,
    /// How often the kernel ended a process of the group for want of memory.
    pub oom_kills: Option<u64>,
}

/// Reads the control group's memory, version 2 first, then 1.
pub fn group_memory() -> GroupMemory {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    group_memory_in(Path::new("/sys/fs/cgroup"), &groups)
}

fn group_memory_in(root: &Path, groups: &str) -> GroupMemory {
    if let Some(group) = groups.lines().find_map(|line| line.strip_prefix("0::")) {
        let paths = ancestors(root, group);
        if paths.iter().any(|path| path.join("memory.events").exists()) {
            return read_group(
                &paths,
                &["memory.max", "memory.high"],
                "memory.current",
                "memory.events",
            );
        }
    }
    let v1 = groups.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let controllers = parts.next()?;
        controllers
            .split(',')
            .any(|name| name == "memory")
            .then(|| parts.next())?
    });
    let Some(group) = v1 else {
        return GroupMemory::default();
    };
    let paths = ancestors(&root.join("memory"), group);
    read_group(
        &paths,
        &["memory.limit_in_bytes"],
        "memory.usage_in_bytes",
        "memory.oom_control",
    )
}

/// The group's folder and those above it. In a container only the root of the mount may exist.
fn ancestors(root: &Path, group: &str) -> Vec<PathBuf> {
    let own = root.join(group.trim_start_matches('/'));
    own.ancestors()
        .take_while(|path| path.starts_with(root))
        .filter(|path| path.is_dir())
        .map(Path::to_owned)
        .collect()
}

fn read_group(paths: &[PathBuf], limits: &[&str], used: &str, events: &str) -> GroupMemory {
    let number = |path: PathBuf| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let limit = paths
        .iter()
        .flat_map(|path| limits.iter().map(|name| path.join(name)))
        .filter_map(number)
        .min();
    let own = paths.first();
    GroupMemory {
        // Version 1 expresses "none" as a number near 2⁶³.
        limit: limit.filter(|&bytes| bytes < 1 << 60),
        used: own.and_then(|path| number(path.join(used))),
        oom_kills: own.and_then(|path| {
            let text = fs::read_to_string(path.join(events)).ok()?;
            text.lines()
                .find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_thread_tells_its_cpu_time() {
        let thread = this_thread().unwrap();
        while thread_usage(thread).unwrap().1 == 0 {}
        assert_eq!(thread_usage(u32::MAX), None);
    }

    #[test]
    fn stat_is_read_past_any_name() {
        let text = "7 (a ) b (c) R 1 7 7 0 -1 4194304 1 0 0 0 250 50 0 0 20 0 11 0 99 1000 25 18446744073709551615";
        let usage = parse_stat(text, 100, 4096).unwrap();
        assert_eq!(
            usage,
            Usage {
                state: 'R',
                cpu_ms: 3000,
                rss: 25 * 4096,
                threads: 11
            }
        );
        assert_eq!(parse_stat("7 (cut", 100, 4096), None);
        assert_eq!(parse_stat("7 (cut) R 1", 100, 4096), None);
    }

    #[test]
    fn shared_memory_is_not_the_own() {
        let text =
            "VmRSS:\t  900 kB\nRssAnon:\t  300 kB\nRssFile:\t  200 kB\nRssShmem:\t  400 kB\n";
        assert_eq!(parse_own_memory(text), Some(500 * 1024));
        assert_eq!(parse_own_memory("VmRSS: 900 kB"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_can_be_read() {
        let own = usage(std::process::id()).unwrap();
        assert!(own.rss > 1 << 20 && own.threads >= 1);
        assert!(own_memory(std::process::id()).is_some_and(|bytes| bytes > 1 << 20));
        let details = details(std::process::id(), true);
        assert!(details.fds.unwrap() >= 3 && details.fd_limit.is_some());
        assert_eq!(usage(i32::MAX as u32), None);
    }

    #[test]
    fn group_limits_are_the_least_on_the_way_up() {
        let root = std::env::temp_dir().join(format!("rspool-cgroup-{}", std::process::id()));
        let leaf = root.join("a/b");
        fs::create_dir_all(&leaf).unwrap();
        let write = |path: &Path, name: &str, text: &str| fs::write(path.join(name), text).unwrap();
        write(&leaf, "memory.max", "max\n");
        write(&leaf, "memory.high", "900\n");
        write(&leaf, "memory.current", "300\n");
        write(&leaf, "memory.events", "low 0\noom 2\noom_kill 2\n");
        write(&root.join("a"), "memory.max", "800\n");
        let v2 = group_memory_in(&root, "0::/a/b\n");
        assert_eq!(
            v2,
            GroupMemory {
                limit: Some(800),
                used: Some(300),
                oom_kills: Some(2)
            }
        );

        let v1 = root.join("memory/x");
        fs::create_dir_all(&v1).unwrap();
        write(&v1, "memory.limit_in_bytes", "9223372036854771712\n");
        write(&v1, "memory.usage_in_bytes", "5\n");
        write(
            &v1,
            "memory.oom_control",
            "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
        );
        let read = group_memory_in(&root, "4:cpu,memory:/x\n0::/\n");
        assert_eq!(
            read,
            GroupMemory {
                limit: None,
                used: Some(5),
                oom_kills: Some(1)
            }
        );
        fs::remove_dir_all(&root).unwrap();
    }
}
