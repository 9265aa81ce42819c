//! A process is killed at every step of every change. The test looks at what it leaves behind.

use std::fs::OpenOptions;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command};

use rustix::process::{Pid, Signal, kill_process};

use super::super::kill::{ALL, End, Step, choose};
use super::*;
use crate::supervise::handle::ProcessHandle;
use crate::supervise::reading;

const WHAT: &str = "RSPOOL_TEST_KILL";
const SEAT: u16 = 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Job {
    Replace,
    Insert,
    Evict,
    Delete,
    Increment,
}

const JOBS: [Job; 5] = [
    Job::Replace,
    Job::Insert,
    Job::Evict,
    Job::Delete,
    Job::Increment,
];

/// A value that takes this many blocks with the key `k`.
fn value(blocks: usize, fill: u8) -> Vec<u8> {
    vec![fill; 80 + (blocks - 1) * 112]
}

fn do_job(map: &Map, job: Job, blocks: usize) {
    match job {
        Job::Delete => delete(map, "k").map(drop),
        Job::Increment => count(map, &mut Hands::default(), "k").map(drop),
        _ => set(map, "k", &value(blocks, 2)).map(drop),
    }
    .unwrap();
}

/// Not a test by itself: the other tests run it in a process of its own.
#[test]
#[ignore = "a process of the other tests"]
fn child() {
    let Ok(what) = std::env::var(WHAT) else {
        return;
    };
    let mut parts = what.split(' ');
    let mut next = || parts.next().unwrap();
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(next())
        .unwrap();
    let map = Map::open(file.as_fd(), SEAT).unwrap();
    let number = |text: &str| text.parse::<usize>().unwrap();
    let (step, job, blocks) = (number(next()), number(next()), number(next()));
    let end = match next() {
        "kill" => End::Killed,
        go => End::Stopped(go.into()),
    };
    choose(ALL[step], end);
    do_job(&map, JOBS[job], blocks);
}

fn start(map: &Map, step: Step, job: Job, blocks: usize, end: &str) -> Child {
    let file = format!("/proc/{}/fd/{}", std::process::id(), map.file().as_raw_fd());
    let step = ALL.iter().position(|&it| it == step).unwrap();
    let job = JOBS.iter().position(|&it| it == job).unwrap();
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "memory::map::tests::kills::child", "--ignored"])
        .env(WHAT, format!("{file} {step} {job} {blocks} {end}"))
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap()
}

/// The map before the job, and the values that the key may have afterwards.
fn prepare(job: Job, blocks: usize) -> (Map, Vec<Option<Vec<u8>>>) {
    let map = Map::create(Options {
        max_value: Some(20_000),
        ..options(if job == Job::Evict { 1 << 15 } else { 1 << 18 })
    })
    .unwrap();
    let (old, new) = (Some(value(blocks, 1)), Some(value(blocks, 2)));
    let word = |number: u64| Some(number.to_ne_bytes().to_vec());
    let allowed = match job {
        Job::Replace => vec![old.clone(), new],
        Job::Insert | Job::Evict => vec![None, new],
        Job::Delete => vec![old.clone(), None],
        Job::Increment => vec![word(1), word(2)],
    };
    match job {
        Job::Replace | Job::Delete => drop(set(&map, "k", &old.unwrap()).unwrap()),
        Job::Increment => drop(count(&map, &mut Hands::default(), "k").unwrap()),
        Job::Insert => {}
        Job::Evict => {
            for n in 0..400 {
                set(&map, &format!("other {n}"), b"in the way").unwrap();
            }
        }
    }
    (map, allowed)
}

#[test]
fn a_process_that_is_killed_at_any_step_leaves_the_old_value_or_the_new_one() {
    let mut killed = Vec::new();
    for job in JOBS {
        for blocks in [1, 2, 100] {
            if job == Job::Increment && blocks > 1 {
                continue;
            }
            for step in ALL {
                let (map, allowed) = prepare(job, blocks);
                let mut child = start(&map, step, job, blocks, "kill");
                // Its parent has not waited for it yet: it is a zombie.
                while ProcessHandle::open(child.id()).is_ok_and(|it| !it.wait(Duration::ZERO)) {
                    std::thread::yield_now();
                }
                let what = format!("{job:?} of {blocks} blocks, killed at {step:?}");
                // Before any process has recovered the seat.
                let seen = get(&map, "k");
                assert!(allowed.contains(&seen), "{what}: neither old nor new");
                // A dead process' lock is in nobody's way.
                for n in 0..300 {
                    set(&map, &format!("new {n}"), b"after").expect(&what);
                }
                let status = child.wait().unwrap();
                if status.signal() == Some(9) {
                    killed.push((step, job));
                } else {
                    assert!(status.success(), "{what}: {status}");
                }
                map.retire(SEAT);
                map.recover(SEAT);
                if job != Job::Evict {
                    assert!(get(&map, "k") == seen, "{what}: it has changed");
                }
                assert_eq!(map.recover(SEAT), Recovered::default(), "{what}");
                check(&map);
                let audit = map.audit();
                assert!(audit.owned <= layout::MAGAZINE, "{what}: {audit:?}");
                match job {
                    Job::Increment => drop(count(&map, &mut Hands::default(), "k").expect(&what)),
                    _ => drop(set(&map, "k", b"last").expect(&what)),
                }
                map.clear(&mut Hands::default());
                check(&map);
                assert_eq!(map.audit().live, 0, "{what}");
            }
        }
    }
    for step in ALL {
        assert!(
            killed.iter().any(|&(at, _)| at == step),
            "{step:?} is never passed"
        );
    }
}

#[test]
fn a_process_that_is_stopped_while_it_inserts_holds_up_new_keys_of_its_set_alone() {
    let (map, _) = prepare(Job::Insert, 1);
    set(&map, "there", b"before").unwrap();
    let go = std::env::temp_dir().join(format!("rspool-map-{}", std::process::id()));
    let mut child = start(&map, Step::Locked, Job::Insert, 1, go.to_str().unwrap());
    let pid = Pid::from_raw(child.id() as i32).unwrap();
    while reading::usage(child.id()).unwrap().state != 'T' {
        std::thread::yield_now();
    }
    assert!(get(&map, "k").is_none());
    assert!(matches!(set(&map, "k", b"mine"), Err(MapError::Busy)));
    set(&map, "there", b"after").unwrap();
    assert_eq!(get(&map, "there").unwrap(), b"after");
    let locked = map.places(&key("k")).first;
    let mut busy = 0;
    for n in 0..60 {
        let name = format!("new {n}");
        let same = map.places(&key(&name)).first == locked;
        match set(&map, &name, b"value") {
            Ok(_) => assert!(!same),
            Err(MapError::Busy) => busy += usize::from(same),
            Err(error) => panic!("{error}"),
        }
    }
    assert!(busy < 10);
    // It is not dead, even if another process recovers its seat.
    map.recover(SEAT);
    std::fs::write(&go, "").unwrap();
    kill_process(pid, Signal::CONT).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(get(&map, "k").unwrap() == value(1, 2));
    std::fs::remove_file(&go).unwrap();
    set(&map, "k", b"mine").unwrap();
    check(&map);
}
