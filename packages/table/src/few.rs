//! Numbers of up to eight characters, all of which are looked at together.

/// From one to eight characters. The first is in the lowest byte.
#[derive(Debug, Clone, Copy)]
pub struct Few {
    bytes: u64,
    len: u32,
}

const ZEROS: u64 = repeat(b'0');

/// The powers of ten that a number of seven digits may be divided by.
const POWERS: [f64; 8] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7];

const fn repeat(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

impl Few {
    /// These characters, if there are not too many.
    #[inline(always)]
    #[must_use]
    pub fn new(text: &[u8]) -> Option<Self> {
        let len = text.len() as u32;
        let bytes = match (text.first_chunk(), text.last_chunk()) {
            (Some(first), Some(last)) if len <= 8 => {
                // They overlap, and agree where they do.
                let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
                u64::from(first) | u64::from(last) << (8 * (len - 4))
            }
            (None, _) if len > 0 => {
                let byte = |at: usize| u64::from(text[at]) << (8 * at);
                byte(0) | byte(text.len() / 2) | byte(text.len() - 1)
            }
            _ => return None,
        };
        Some(Self { bytes, len })
    }

    /// The integer, if all are digits.
    #[inline(always)]
    #[must_use]
    pub fn integer(self) -> Option<u32> {
        // With zeros before them, there are eight.
        let missing = 8 * (8 - self.len);
        let bytes = self.bytes << missing | (ZEROS & !(u64::MAX << missing));
        let digits = bytes ^ ZEROS;
        // A digit plus 118 stays below 128, and so does what is added to it.
        if (digits | ((digits & repeat(0x7f)) + repeat(118))) & repeat(0x80) != 0 {
            return None;
        }
        let pairs = digits.wrapping_mul((10 << 8) | 1) >> 8 & repeat_pairs(0xff);
        let fours = pairs.wrapping_mul(100 << 16 | 1) >> 16 & 0xffff_0000_ffff;
        Some((fours.wrapping_mul(10_000 << 32 | 1) >> 32) as u32)
    }

    /// The number, if all are digits but for a point between two of them. It is exact: a quotient of two integers that
    /// 64-bit floating point has exactly is rounded once.
    #[inline(always)]
    #[must_use]
    pub fn decimal(self) -> Option<f64> {
        let differs = self.bytes ^ repeat(b'.');
        // The lowest byte that is zero, exactly.
        let point = differs.wrapping_sub(repeat(1)) & !differs & repeat(0x80);
        if point == 0 {
            return self.integer().map(f64::from);
        }
        let at = point.trailing_zeros() / 8;
        let decimals = (self.len - 1).checked_sub(at)?;
        if at == 0 || decimals == 0 {
            return None;
        }
        let before = self.bytes & !(u64::MAX << (8 * at));
        let behind = self.bytes >> (8 * at) >> 8 << (8 * at);
        let digits = Self {
            bytes: before | behind,
            len: self.len - 1,
        };
        Some(f64::from(digits.integer()?) / POWERS[decimals as usize])
    }
}

const fn repeat_pairs(low: u8) -> u64 {
    u64::from_le_bytes([low, 0, low, 0, low, 0, low, 0])
}
