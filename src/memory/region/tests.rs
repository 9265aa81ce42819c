use std::os::fd::AsFd;
use std::sync::atomic::Ordering;

use super::*;
use crate::wire::region::{seat, shared};

const SPEC: Spec = Spec {
    seats: 3,
    slots: 2,
    rows: 4,
    cells: 9,
    tokens: 2,
    ring: 1 << 16,
    claims: 5,
    once: 100,
    limits: 100,
    schema: 77,
};

#[test]
fn two_mappings_see_the_same_cells() {
    let one = Region::create(SPEC, "").unwrap();
    let two = Region::open(one.file()).unwrap();
    assert_eq!(two.layout(), one.layout());
    assert_eq!(two.schema(), 77);
    one.cell(3, 8).fetch_add(5, Ordering::SeqCst);
    assert_eq!(two.cell(3, 8).load(Ordering::SeqCst), 5);
    assert_ne!(one.base(), one.remap().unwrap().base());
}

#[test]
fn what_is_too_large_is_refused_before_it_is_made() {
    for cells in [1 << 28, u32::MAX] {
        let spec = Spec {
            cells,
            rows: u32::MAX,
            ..SPEC
        };
        assert!(matches!(
            Region::create(spec, ""),
            Err(RegionError::TooLarge)
        ));
    }
}

#[test]
fn text_is_read_up_to_its_length() {
    let region = Region::create(SPEC, "").unwrap();
    region
        .text_word(1, 0)
        .store(i64::from_le_bytes(*b"at loop "), Ordering::Relaxed);
    region
        .seat(1, seat::TEXT_LENGTH)
        .store(7, Ordering::Release);
    assert_eq!(region.text(1), "at loop");
    assert_eq!(region.text(0), "");
}

#[cfg(target_os = "linux")]
mod of_files {
    use proptest::prelude::*;
    use rustix::fs;

    use super::*;
    use crate::memory::region::layout::{ENTRY_WORDS, HEADER_BYTES, MAX_SECTIONS, header};

    fn refusal(region: &Region) -> String {
        Region::open(region.file()).unwrap_err().to_string()
    }

    #[test]
    fn a_region_cannot_be_truncated() {
        let region = Region::create(SPEC, "").unwrap();
        assert!(fs::ftruncate(region.file(), 0).is_err());
        assert!(fs::ftruncate(region.file(), 1 << 20).is_err());
    }

    #[test]
    fn what_is_no_region_is_refused() {
        let file = anonymous_file(c"rspool").unwrap();
        fs::ftruncate(&file, 8192).unwrap();
        let open = || Region::open(file.as_fd()).unwrap_err().to_string();
        assert!(open().contains("its size is not sealed"), "{}", open());
        seal(&file).unwrap();
        assert!(open().contains("no region header"), "{}", open());
    }

    #[test]
    fn another_version_or_size_is_refused() {
        let region = Region::create(SPEC, "").unwrap();
        let change = |word: usize| region.mapping.u64(word * 8).fetch_add(1, Ordering::SeqCst);
        change(header::VERSION);
        let found = format!(
            "version {}, this package reads {}",
            layout::VERSION + 1,
            layout::VERSION
        );
        assert!(refusal(&region).contains(&found), "{}", refusal(&region));
        let region = Region::create(SPEC, "").unwrap();
        region
            .mapping
            .u64(header::TOTAL * 8)
            .fetch_add(64, Ordering::SeqCst);
        assert!(
            refusal(&region).contains("where its header says"),
            "{}",
            refusal(&region)
        );
    }

    #[test]
    fn who_looks_sees_what_is_there_and_what_the_cluster_says_of_itself() {
        let region = Region::create(SPEC, "about this").unwrap();
        region.seat(2, seat::PID).store(41, Ordering::SeqCst);
        let look = Look::try_from(&region).unwrap();
        assert_eq!(look.layout(), region.layout());
        let mut words = vec![0; look.layout().total / 8];
        look.copy(&mut words);
        assert_eq!(words[look.layout().seats.word(2, seat::PID) / 8], 41);
        let about = words[look.layout().about.word(0, 0) / 8];
        assert_eq!(&about.to_le_bytes(), b"about th");
    }

    #[test]
    fn who_looks_needs_no_right_to_write() {
        let region = Region::create(SPEC, "").unwrap();
        let path = format!(
            "/proc/self/fd/{}",
            std::os::fd::AsRawFd::as_raw_fd(&region.file())
        );
        assert_eq!(Look::open(path.as_ref()).unwrap().schema(), 77);
    }

    /// Uses each part of a region that was accepted.
    fn use_all(region: &Region) {
        let layout = region.layout();
        for seat in 0..layout.seats.count.min(1000) {
            region.seat(seat, 0).load(Ordering::SeqCst);
            region.text(seat);
            region.question(seat);
        }
        if layout.tokens.count > 0 {
            region.token(layout.tokens.count - 1).load(Ordering::SeqCst);
        }
        let Section { count, stride, .. } = layout.cells;
        if count > 0 && stride > 0 {
            region
                .cell(count - 1, stride / 8 - 1)
                .load(Ordering::SeqCst);
        }
        region
            .shared_u32(shared::BUDGET_WAITERS)
            .load(Ordering::SeqCst);
    }

    proptest! {
        /// Whatever the bytes are, opening ends with an error or with a region that can be used.
        #[test]
        fn random_bytes_are_refused_or_harmless(
            words in prop::collection::vec((0..HEADER_BYTES / 8, any::<u64>()), 1..40),
            small in any::<bool>(),
            shift in 0u32..64,
        ) {
            let region = Region::create(SPEC, "").unwrap();
            let first = if small { header::SCHEMA } else { 0 };
            for (word, value) in words {
                let word = first + word % (HEADER_BYTES / 8 - first);
                // Small numbers get past more checks than large ones.
                region.mapping.u64(word * 8).store(value >> shift, Ordering::SeqCst);
            }
            if let Ok(region) = Region::open(region.file()) {
                use_all(&region);
            }
        }

        #[test]
        fn a_table_with_one_wrong_number_is_refused_or_harmless(
            entry in 0..MAX_SECTIONS,
            word in 0..ENTRY_WORDS,
            bit in 0u32..64,
            of_text in any::<i64>(),
        ) {
            let region = Region::create(SPEC, "").unwrap();
            let at = header::TABLE + entry * ENTRY_WORDS + word;
            region.mapping.u64(at * 8).fetch_xor(1 << bit, Ordering::SeqCst);
            region.seat(0, seat::TEXT_LENGTH).store(of_text, Ordering::SeqCst);
            if let Ok(region) = Region::open(region.file()) {
                use_all(&region);
            }
        }
    }
}
