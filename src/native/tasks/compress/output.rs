//! Decompressed output, up to a limit.

use std::io::{ErrorKind, Read};

use rspool_task::{
    BYTES, CORRUPT_INPUT, Context, Error, MAX_SAFE_INTEGER, OUTPUT_TOO_LARGE, Params, Value,
};

/// Bytes between two checks.
pub(super) const STEP: usize = 8 * 1024;

/// The default limit of the output: 256 MiB.
const DEFAULT_MAX_OUTPUT: u64 = 256 * 1024 * 1024;

/// The limit from `params.maxOutput`.
pub(super) fn limit_of(params: &Params) -> Result<usize, Error> {
    let limit = params
        .read(&["maxOutput"])?
        .integer("maxOutput", 0..=MAX_SAFE_INTEGER)?
        .unwrap_or(DEFAULT_MAX_OUTPUT);
    Ok(usize::try_from(limit).unwrap_or(usize::MAX))
}

/// The error for damaged data of a format.
pub(super) fn corrupt(format: &str, why: impl std::fmt::Display) -> Error {
    let message = format!("the input is not valid {format} data: {why}");
    Error::failed(CORRUPT_INPUT, message)
}

/// The error for data of a format that end too early.
pub(super) fn cut_short(format: &str) -> Error {
    Error::failed(CORRUPT_INPUT, format!("the {format} data are cut short"))
}

/// Bytes in memory, up to a limit. If memory is refused, that is an error and not the end of the process.
#[derive(Debug)]
pub(super) struct Output {
    bytes: Vec<u8>,
    limit: usize,
}

impl Output {
    pub(super) fn new(limit: usize) -> Self {
        let bytes = Vec::new();
        Self { bytes, limit }
    }

    pub(super) fn reserve(&mut self, more: usize) -> Result<(), Error> {
        self.bytes
            .try_reserve(more)
            .map_err(|_| Error::out_of_memory(self.bytes.len().saturating_add(more)))
    }

    /// Takes everything that a decoder gives, and counts it.
    pub(super) fn fill(
        &mut self,
        decoder: &mut impl Read,
        format: &str,
        context: &Context<'_>,
    ) -> Result<(), Error> {
        let mut step = [0; STEP];
        loop {
            context.check()?;
            let read = match decoder.read(&mut step) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    return Err(cut_short(format));
                }
                Err(error) => return Err(corrupt(format, error)),
            };
            self.take(&step[..read], context)?;
        }
    }

    /// Takes what a decoder gave, and counts it.
    pub(super) fn take(&mut self, more: &[u8], context: &Context<'_>) -> Result<(), Error> {
        self.append(more)?;
        context.count(BYTES, more.len() as i64);
        Ok(())
    }

    fn append(&mut self, more: &[u8]) -> Result<(), Error> {
        if more.len() > self.limit - self.bytes.len() {
            return Err(Error::failed(
                OUTPUT_TOO_LARGE,
                format!(
                    "the output is larger than params.maxOutput, {} bytes",
                    self.limit
                ),
            ));
        }
        self.reserve(more.len())?;
        self.bytes.extend_from_slice(more);
        Ok(())
    }
}

impl From<Output> for Value<'_> {
    fn from(output: Output) -> Self {
        Self::Bytes(output.bytes.into())
    }
}
