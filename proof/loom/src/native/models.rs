//! A native worker: its sleep, and the flag of a task that is given up.

use loom::sync::Arc;
use loom::thread;

use super::parker::Parker;
use crate::scheduler::{Bell, Ring};
use crate::sync::{Ordering::Relaxed, Post};

#[test]
fn a_worker_that_goes_to_sleep_is_woken_for_what_was_put_down_before_the_ring() {
    loom::model(|| {
        let parker = Arc::new(Parker::default());
        let queue = Arc::new(Post::default());
        let caller = {
            let (parker, queue) = (Arc::clone(&parker), Arc::clone(&queue));
            thread::spawn(move || {
                queue.put(1);
                parker.ring(Ring::Lane);
            })
        };
        while queue.take_all().is_empty() {
            assert!(parker.wait(None));
        }
        caller.join().unwrap();
    });
}

#[test]
fn a_ring_is_not_lost_between_two_of_them() {
    loom::model(|| {
        let parker = Arc::new(Parker::default());
        let queue = Arc::new(Post::default());
        let callers: Vec<_> = (0..2)
            .map(|task| {
                let (parker, queue) = (Arc::clone(&parker), Arc::clone(&queue));
                thread::spawn(move || {
                    queue.put(task);
                    parker.ring(Ring::Lane);
                })
            })
            .collect();
        let mut got = 0;
        while got < 2 {
            got += queue.take_all().len();
            if got < 2 {
                parker.wait(None);
            }
        }
        for caller in callers {
            caller.join().unwrap();
        }
    });
}

#[test]
fn a_cancel_reaches_its_own_task_whenever_it_comes_and_no_other() {
    loom::model(|| {
        let parker = Arc::new(Parker::default());
        let giver = {
            let parker = Arc::clone(&parker);
            thread::spawn(move || parker.cancel(0, 1))
        };
        parker.begin(1);
        // It may not have come yet, but it comes.
        let hit = parker.cancelled.load(Relaxed) != 0;
        parker.begin(2);
        assert_eq!(
            parker.cancelled.load(Relaxed),
            0,
            "the next task is left alone (the one before: {hit})"
        );
        giver.join().unwrap();
        assert_eq!(parker.cancelled.load(Relaxed), 0, "also later");
    });
}

#[test]
fn a_task_that_was_given_up_hears_of_it_in_the_end() {
    loom::model(|| {
        let parker = Arc::new(Parker::default());
        let giver = {
            let parker = Arc::clone(&parker);
            thread::spawn(move || parker.cancel(0, 1))
        };
        parker.begin(1);
        giver.join().unwrap();
        assert_ne!(parker.cancelled.load(Relaxed), 0);
    });
}
