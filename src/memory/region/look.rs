//! The access of a program outside of the cluster to its region: reading.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags, open};

use super::layout::Layout;
use super::mapping::Mapping;
use super::{RegionError, header};

/// A region that can only be copied. Nothing can write to the memory through this.
#[derive(Debug)]
pub struct Look {
    mapping: Mapping,
    layout: Layout,
    schema: u64,
}

impl Look {
    /// Opens the file that the path names, as `/proc/<pid>/fd/<number>` does. The system decides who may.
    pub fn open(path: &Path) -> Result<Look, RegionError> {
        // If it is something other than a file, opening could wait for its other end.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        Look::at(open(path, flags, Mode::empty())?)
    }

    fn at(file: OwnedFd) -> Result<Look, RegionError> {
        let (layout, schema) = header::read(&file)?;
        let mapping = Mapping::new(&file, layout.total, false)?;
        Ok(Look {
            mapping,
            layout,
            schema,
        })
    }

    /// Where its sections are.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The digest of the names.
    pub fn schema(&self) -> u64 {
        self.schema
    }

    /// Copies the words one by one into `words`, as many as both have. Messages are not for programs outside.
    pub fn copy(&self, words: &mut [i64]) {
        let ring = self.layout.ring;
        let behind = ring.offset + ring.count * ring.stride;
        for part in [0..ring.offset, behind..self.layout.total] {
            for offset in part.step_by(8) {
                if let Some(word) = words.get_mut(offset / 8) {
                    *word = self.mapping.load(offset) as i64;
                }
            }
        }
    }
}

impl TryFrom<&super::Region> for Look {
    type Error = RegionError;

    fn try_from(region: &super::Region) -> Result<Look, RegionError> {
        Look::at(
            region
                .file()
                .as_fd()
                .try_clone_to_owned()
                .map_err(RegionError::Io)?,
        )
    }
}
