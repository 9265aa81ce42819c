//! The progress that a task reports, on its way to the owner: only the last value that came before the owner looked.

use std::sync::atomic::{
    AtomicBool, AtomicU64,
    Ordering::{AcqRel, Relaxed},
};

/// The last value.
#[derive(Debug, Default)]
pub struct Latest {
    bits: AtomicU64,
    /// The owner has been told that there is a value, and has not looked yet.
    told: AtomicBool,
}

impl Latest {
    /// Sets the value. Returns whether the owner has to be told.
    pub fn set(&self, value: f64) -> bool {
        self.bits.store(value.to_bits(), Relaxed);
        // Release: an owner that has been told already sees this value, or a later one.
        !self.told.swap(true, AcqRel)
    }

    /// Takes the value. The owner is told again of the next one.
    pub fn take(&self) -> f64 {
        self.told.swap(false, AcqRel);
        f64::from_bits(self.bits.load(Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_the_last_is_told_once() {
        let latest = Latest::default();
        assert!(latest.set(0.1));
        assert!(!latest.set(0.2));
        assert_eq!(latest.take(), 0.2);
        assert!(latest.set(0.3));
        assert_eq!(latest.take(), 0.3);
    }

    #[test]
    fn the_last_one_always_arrives() {
        let latest = Latest::default();
        let (told, hears) = std::sync::mpsc::channel();
        let last = if cfg!(miri) { 100 } else { 10_000 };
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let told = told;
                for n in 1..=last {
                    if latest.set(f64::from(n)) {
                        told.send(()).unwrap();
                    }
                }
            });
            let mut seen = 0.0;
            while hears.recv().is_ok() {
                seen = latest.take();
            }
            assert_eq!(seen, f64::from(last));
        });
    }
}
