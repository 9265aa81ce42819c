//! The messages by topic: each is read whole or not at all, who falls behind knows by how many, and who sleeps is woken.

use loom::sync::Arc;
use loom::thread;

use super::message::{Message, Sender};
use super::read::{Next, Reader};
use super::slots::{MessageRing, section_bytes};
use crate::memory::region::Region;

type Ring = MessageRing<Arc<Region>>;

/// Two slots, each with room for one message of the models.
fn ring() -> Ring {
    MessageRing::of(Arc::new(Region::of(section_bytes(256)))).unwrap()
}

fn message(number: u64) -> Message {
    Message {
        topic: String::new(),
        tag: 1,
        bytes: number.to_ne_bytes().into(),
        sender: Sender::default(),
    }
}

fn publish(ring: &Ring, seat: u32, number: u64) {
    ring.publish(seat, &message(number)).unwrap();
}

/// The numbers of the messages that there are, and how many were missed.
fn read_all(reader: &mut Reader, ring: &Ring) -> (Vec<u64>, u32) {
    let (mut read, mut missed) = (Vec::new(), 0);
    loop {
        match reader.next(ring, |_| true) {
            Next::Message(it) => read.push(u64::from_ne_bytes(it.bytes.try_into().unwrap())),
            Next::Missed(count) => missed += count,
            Next::Other => panic!("a message that cannot be"),
            Next::Nothing => return (read, missed),
        }
    }
}

/// Every order in which each thread is interrupted at most so often where it need not be.
fn bounded(interruptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(interruptions);
    builder.max_branches = 10_000;
    builder.check(model);
}

#[test]
fn what_two_publish_at_the_same_time_is_read_once_each() {
    bounded(2, || {
        let ring = ring();
        let mut reader = Reader::new(&ring);
        let other = {
            let ring = ring.clone();
            thread::spawn(move || publish(&ring, 1, 1))
        };
        publish(&ring, 0, 2);
        other.join().unwrap();
        let (mut read, missed) = read_all(&mut reader, &ring);
        read.sort_unstable();
        assert_eq!((read, missed), (vec![1, 2], 0));
    });
}

#[test]
fn a_reader_whose_messages_are_written_over_reads_them_whole_or_knows_that_it_has_missed_them() {
    bounded(2, || {
        let ring = ring();
        let mut reader = Reader::new(&ring);
        publish(&ring, 0, 1);
        publish(&ring, 0, 2);
        let writer = {
            let ring = ring.clone();
            thread::spawn(move || publish(&ring, 1, 3))
        };
        let (mut read, missed) = read_all(&mut reader, &ring);
        writer.join().unwrap();
        let (more, later) = read_all(&mut reader, &ring);
        read.extend(more);
        let missed = missed + later;
        assert!(missed < 2, "{missed}");
        assert_eq!(read, (u64::from(missed) + 1..=3).collect::<Vec<_>>());
    });
}

#[test]
fn a_sleeper_is_woken_by_what_is_published_however_late_it_looks() {
    bounded(2, || {
        let ring = ring();
        let mut reader = Reader::new(&ring);
        let writer = {
            let ring = ring.clone();
            thread::spawn(move || publish(&ring, 0, 1))
        };
        let mut numbers = Vec::new();
        while numbers.is_empty() {
            ring.wait(reader, || false);
            numbers = read_all(&mut reader, &ring).0;
        }
        assert_eq!(numbers, [1]);
        writer.join().unwrap();
    });
}

#[test]
fn what_the_dead_have_not_written_to_the_end_is_passed_over() {
    bounded(2, || {
        let ring = ring();
        let mut reader = Reader::new(&ring);
        ring.claim(3, 1).unwrap();
        let watcher = {
            let ring = ring.clone();
            thread::spawn(move || ring.recover(3))
        };
        publish(&ring, 0, 1);
        watcher.join().unwrap();
        assert_eq!(read_all(&mut reader, &ring), (vec![1], 0));
    });
}
