//! How far a built-in task is, as a part of its whole work.

use std::io::{self, BufRead, Read};

use parking_lot::Mutex;

use rspool_task::Context;

/// Tells the caller which part of the work is done, from 0 to 1. Any thread may say so.
pub(super) struct Steps<'c, 'a> {
    context: &'c Context<'a>,
    whole: f64,
    done: Mutex<f64>,
}

impl<'c, 'a> Steps<'c, 'a> {
    /// `whole` is the work in units of the task's choice.
    pub(super) fn new(context: &'c Context<'a>, whole: usize) -> Self {
        Self {
            context,
            whole: whole as f64,
            done: Mutex::new(0.0),
        }
    }

    /// So many units more are done.
    pub(super) fn pass(&self, units: usize) {
        // Told under the lock, so that the caller never hears of less than before.
        let mut done = self.done.lock();
        *done += units as f64;
        self.context.progress((*done / self.whole).min(1.0));
    }
}

/// An input of which each byte that is consumed is a step.
pub(super) struct Rest<'s, 'c, 'a> {
    pub(super) bytes: &'s [u8],
    steps: &'s Steps<'c, 'a>,
}

impl<'s, 'c, 'a> Rest<'s, 'c, 'a> {
    pub(super) fn new(bytes: &'s [u8], steps: &'s Steps<'c, 'a>) -> Self {
        Self { bytes, steps }
    }
}

impl Read for Rest<'_, '_, '_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(to)?;
        self.steps.pass(read);
        Ok(read)
    }
}

impl BufRead for Rest<'_, '_, '_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        Ok(self.bytes)
    }

    fn consume(&mut self, length: usize) {
        self.bytes.consume(length);
        self.steps.pass(length);
    }
}

#[cfg(test)]
mod tests {
    use rspool_task::testing::Trial;
    use rspool_task::{Error, Result};

    use super::*;

    #[test]
    fn it_is_told_up_to_the_whole() {
        let task = |(): (), (): (), context: &Context<'_>| -> Result<()> {
            let steps = Steps::new(context, 4);
            steps.pass(1);
            let mut rest = Rest::new(b"abc", &steps);
            let mut two = [0; 2];
            rest.read_exact(&mut two)
                .map_err(|error| Error::new(error.to_string()))?;
            rest.consume(1);
            Ok(())
        };
        assert_eq!(Trial::new().run(task, (), ()).progress, [0.25, 0.75, 1.0]);
    }
}
