use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;
use std::thread;

use super::head::{Head, State};
use super::slots::{SLOT_WORDS, WORDS};
use super::*;
use crate::memory::region::Spec;
use crate::sync::Ordering;

fn region(bytes: u32) -> Region {
    let spec = Spec {
        seats: 4,
        ring: bytes,
        ..Spec::default()
    };
    Region::create(spec, "").unwrap()
}

fn ring(bytes: u32) -> MessageRing<Region> {
    MessageRing::of(region(bytes)).unwrap()
}

fn message(topic: &str, bytes: &[u8]) -> Message {
    Message {
        topic: topic.into(),
        tag: 9,
        bytes: bytes.into(),
        sender: Sender {
            pid: 7,
            slot: Some(1),
            generation: 2,
        },
    }
}

fn all(reader: &mut Reader, ring: &MessageRing<Region>) -> Vec<Next> {
    std::iter::from_fn(|| match reader.next(ring, |_| true) {
        Next::Nothing => None,
        next => Some(next),
    })
    .collect()
}

#[test]
fn each_reader_gets_each_message_in_order_from_when_it_began() {
    let ring = ring(1 << 14);
    let mut early = Reader::new(&ring);
    let [one, two] = [message("a", b"one"), message("b", b"")];
    ring.publish(0, &one).unwrap();
    let mut late = Reader::new(&ring);
    ring.publish(1, &two).unwrap();
    assert_eq!(
        all(&mut early, &ring),
        [Next::Message(one), Next::Message(two.clone())]
    );
    assert_eq!(all(&mut late, &ring), [Next::Message(two)]);
    assert_eq!(all(&mut late, &ring), []);
}

#[test]
fn what_is_about_something_else_is_not_copied() {
    let ring = ring(1 << 14);
    let mut reader = Reader::new(&ring);
    ring.publish(0, &message("other", b"1")).unwrap();
    ring.publish(0, &message("mine", b"2")).unwrap();
    let mut next = || reader.next(&ring, |topic| topic == "mine");
    assert_eq!(next(), Next::Other);
    assert_eq!(next(), Next::Message(message("mine", b"2")));
    assert_eq!(next(), Next::Nothing);
}

#[test]
fn messages_of_every_length_arrive_bit_for_bit_over_the_end_of_the_ring() {
    let ring = ring(1 << 13);
    let mut reader = Reader::new(&ring);
    for length in 0..ring.longest() - 1 {
        let bytes: Vec<u8> = (0..length).map(|at| (at * 7 + length) as u8).collect();
        let sent = message("t", &bytes);
        ring.publish(0, &sent).unwrap();
        assert_eq!(all(&mut reader, &ring), [Next::Message(sent)]);
    }
    let long = message("t", &vec![0; ring.longest()]);
    assert_eq!(ring.publish(0, &long), Err(Refusal::TooLong));
}

#[test]
fn a_reader_that_falls_behind_hears_how_many_it_has_missed() {
    let ring = ring(1 << 13);
    let mut reader = Reader::new(&ring);
    let sent = 1000;
    for number in 0..sent {
        ring.publish(0, &message("t", &vec![0; number % 900]))
            .unwrap();
    }
    let mut read = 0;
    let mut missed = 0;
    for next in all(&mut reader, &ring) {
        match next {
            Next::Missed(count) => missed += count as usize,
            Next::Message(message) => {
                assert_eq!(message.bytes.len(), (missed + read) % 900);
                read += 1;
            }
            Next::Other | Next::Nothing => panic!("{next:?}"),
        }
    }
    assert!(missed > 0 && read > 0);
    assert_eq!(missed + read, sent);
}

#[test]
fn a_publisher_that_dies_while_it_writes_stands_in_nobodys_way() {
    let ring = ring(1 << 13);
    let mut reader = Reader::new(&ring);
    ring.claim(3, 5).unwrap();
    ring.publish(0, &message("t", b"after")).unwrap();
    assert_eq!(all(&mut reader, &ring), []);
    ring.recover(2);
    assert_eq!(all(&mut reader, &ring), []);
    ring.recover(3);
    assert_eq!(
        all(&mut reader, &ring),
        [Next::Message(message("t", b"after"))]
    );
}

#[test]
fn a_publisher_that_dies_before_it_has_moved_the_tail_does_neither() {
    let ring = ring(1 << 13);
    let mut reader = Reader::new(&ring);
    let head = Head {
        position: 0,
        slots: 3,
        seat: 3,
        state: State::Claimed,
    };
    ring.slot(0).store(head.word(), Ordering::SeqCst);
    let mut late = Reader::new(&ring);
    ring.recover(3);
    ring.publish(0, &message("t", b"after")).unwrap();
    let after = [Next::Message(message("t", b"after"))];
    assert_eq!(all(&mut reader, &ring), after);
    assert_eq!(all(&mut late, &ring), after);
}

#[test]
fn readers_pass_over_a_publisher_that_was_stopped_and_it_publishes_again() {
    let ring = ring(1 << 13);
    let mut reader = Reader::new(&ring);
    let claimed = ring.claim(3, 1).unwrap();
    ring.publish(0, &message("t", b"after")).unwrap();
    ring.wait(reader, || false);
    let after = [Next::Message(message("t", b"after"))];
    assert_eq!(all(&mut reader, &ring), after);
    // The publisher does this when it goes on.
    assert!(!ring.change(claimed.position, claimed.word(), State::Whole));
    let head = Head::of(ring.slot(claimed.position).load(Ordering::SeqCst));
    assert_eq!(head.state, State::Skipped);
}

#[test]
fn nobody_writes_over_the_slots_of_a_publisher_that_was_stopped() {
    let ring = ring(1 << 13);
    let mut reader = Reader::new(&ring);
    ring.claim(3, 2).unwrap();
    let mut published = 0;
    while ring.publish(0, &message("t", &[0; 100])).is_ok() {
        published += 1;
    }
    assert_eq!(published, 31);
    let busy = ring.publish(0, &message("t", &[0; 100]));
    assert_eq!(busy, Err(Refusal::Busy));
    ring.wait(reader, || false);
    assert_eq!(all(&mut reader, &ring).len(), published);
    ring.recover(3);
    assert_eq!(ring.publish(0, &message("t", &[0; 100])), Ok(()));
}

#[test]
fn a_sleeper_is_woken_by_a_message_by_a_death_and_by_its_own_end() {
    let ring = &ring(1 << 13);
    let stopped = &std::sync::atomic::AtomicBool::new(false);
    let sleep_until = |woken: &dyn Fn()| {
        let reader = Reader::new(ring);
        thread::scope(|scope| {
            let sleeper = scope.spawn(move || {
                ring.wait(reader, || stopped.load(Ordering::SeqCst));
            });
            woken();
            sleeper.join().unwrap();
        });
    };
    sleep_until(&|| ring.publish(0, &message("t", b"")).unwrap());
    sleep_until(&|| {
        ring.claim(3, 1).unwrap();
        ring.recover(3);
    });
    sleep_until(&|| {
        stopped.store(true, Ordering::SeqCst);
        ring.take_turn();
    });
}

#[test]
fn a_listener_calls_once_until_everything_was_read() {
    let region = region(1 << 14);
    let ring = || MessageRing::of(region.remap().unwrap()).unwrap();
    let (sender, calls) = std::sync::mpsc::channel();
    let listener = Listener::start(ring(), move || sender.send(()).unwrap()).unwrap();
    listener.want("t".into(), true);
    for turn in 0..3 {
        for _ in 0..10 {
            ring().publish(0, &message("t", &[turn])).unwrap();
            ring().publish(0, &message("u", &[turn])).unwrap();
        }
        calls.recv().unwrap();
        for _ in 0..10 {
            assert_eq!(listener.next(), Next::Message(message("t", &[turn])));
        }
        assert!(calls.try_recv().is_err());
        assert_eq!(listener.next(), Next::Nothing);
    }
    drop(listener);
    // The thread has ended, and has dropped its callback.
    while calls.recv().is_ok() {}
}

#[test]
fn of_many_who_publish_and_read_nobody_gets_a_torn_message_or_one_twice() {
    const PUBLISHERS: u32 = 3;
    let each = if cfg!(miri) { 20 } else { 20_000u32 };
    let region = region(1 << 14);
    let ring = || MessageRing::of(region.remap().unwrap()).unwrap();
    let left = AtomicUsize::new(PUBLISHERS as usize);
    thread::scope(|scope| {
        for _ in 0..3 {
            let mut reader = Reader::new(&ring());
            let (ring, left) = (ring(), &left);
            scope.spawn(move || {
                let mut last = HashMap::new();
                let (mut read, mut missed) = (0, 0);
                loop {
                    let over = left.load(Ordering::SeqCst) == 0;
                    match reader.next(&ring, |_| true) {
                        Next::Message(message) => {
                            let number = u32::from_le_bytes(message.bytes[..4].try_into().unwrap());
                            let fill = number as u8;
                            assert!(message.bytes[4..].iter().all(|&byte| byte == fill));
                            assert_eq!(message.bytes.len(), 4 + (number as usize * 13) % 700);
                            let before = last.insert(message.sender.pid, number);
                            assert!(before.is_none_or(|before| before < number));
                            read += 1;
                        }
                        Next::Missed(count) => missed += count,
                        Next::Nothing if over => break,
                        Next::Nothing => thread::yield_now(),
                        Next::Other => panic!("everything is wanted"),
                    }
                }
                assert_eq!(read + missed, PUBLISHERS * each);
            });
        }
        for publisher in 0..PUBLISHERS {
            let (ring, left) = (ring(), &left);
            scope.spawn(move || {
                for number in 0..each {
                    let mut bytes = number.to_le_bytes().to_vec();
                    bytes.resize(4 + (number as usize * 13) % 700, number as u8);
                    let mut message = message("t", &bytes);
                    message.sender.pid = publisher;
                    while ring.publish(publisher, &message).is_err() {
                        thread::yield_now();
                    }
                }
                left.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
}

#[cfg(not(miri))]
mod damaged {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_damage_to_the_words_crashes_or_holds_anybody(
            words in prop::collection::vec((0usize..600, any::<u64>()), 1..200),
        ) {
            let ring = ring(1 << 12);
            let mut reader = Reader::new(&ring);
            for number in 0..20 {
                ring.publish(0, &message("t", &[number; 50])).unwrap();
            }
            for (at, word) in words {
                if at < WORDS + 33 * SLOT_WORDS {
                    ring.word(at).store(word, Ordering::SeqCst);
                }
            }
            let _ = ring.publish(0, &message("t", b"more"));
            ring.recover(0);
            for _ in 0..200 {
                reader.next(&ring, |_| true);
            }
            Reader::new(&ring);
        }
    }
}
