//! A thread that hears the bell of this process' seat. Other processes ring it when they have changed something in the
//! region for which this process waits.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::manner;
use crate::memory::futex;
use crate::memory::region::Region;

/// No ring is lost, so the thread need not look by itself.
const FOR_LONG: Duration = Duration::from_secs(3600);

/// A running thread. Dropping this ends the thread soon, without waiting for it.
#[derive(Debug)]
pub struct Hearing {
    region: Arc<Region>,
    seat: usize,
    ended: Arc<AtomicBool>,
}

impl Hearing {
    /// Starts the thread, which calls `on_ring` once or more after each ring.
    pub fn start(
        region: Region,
        seat: u32,
        on_ring: impl Fn() + Send + 'static,
    ) -> io::Result<Hearing> {
        let hearing = Hearing {
            region: Arc::new(region),
            seat: seat as usize,
            ended: Arc::default(),
        };
        let (region, seat, ended) = (
            Arc::clone(&hearing.region),
            hearing.seat,
            Arc::clone(&hearing.ended),
        );
        // Read before the thread runs, so that every ring from here on is heard.
        let mut heard = region.bell(seat).load(Ordering::SeqCst);
        thread::Builder::new()
            .name("rspool-hearing".into())
            .stack_size(128 * 1024)
            .spawn(move || {
                manner::hurry();
                while !ended.load(Ordering::Acquire) {
                    futex::sleep(region.bell(seat), heard, FOR_LONG);
                    let rings = region.bell(seat).load(Ordering::SeqCst);
                    if rings != heard {
                        heard = rings;
                        on_ring();
                    }
                }
            })?;
        Ok(hearing)
    }
}

impl Drop for Hearing {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        self.region.ring(self.seat);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::region::Spec;
    use std::sync::mpsc;

    #[test]
    fn each_ring_is_heard_by_the_process_in_the_seat_alone() {
        let spec = Spec {
            seats: 2,
            ..Spec::default()
        };
        let region = Region::create(spec, "").unwrap();
        let (send, heard) = mpsc::channel();
        let hearing = |seat| {
            let send = send.clone();
            Hearing::start(region.remap().unwrap(), seat, move || {
                let _ = send.send(seat);
            })
            .unwrap()
        };
        let both = [hearing(0), hearing(1)];
        for seat in [1, 0, 0, 1] {
            region.ring(seat);
            assert_eq!(heard.recv().unwrap() as usize, seat);
        }
        drop(both);
    }
}
