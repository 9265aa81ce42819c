//! The system and the processor for which a library is built, read from its first bytes.

use std::env::consts::{ARCH, OS};

/// The machine of this process.
pub(super) fn here() -> String {
    format!("{OS} {ARCH}")
}

/// The machine of a library, from its first bytes. Nothing if they are not those of a library, or if the library is a
/// universal one: it is for several machines, and the loader chooses.
pub(super) fn of(bytes: &[u8]) -> Option<String> {
    match bytes.get(..4)? {
        b"\x7fELF" => {
            let machine = bytes.get(18..20)?;
            let little = bytes.get(5) == Some(&1);
            let machine = [machine[0], machine[1]];
            let number = if little {
                u16::from_le_bytes(machine)
            } else {
                u16::from_be_bytes(machine)
            };
            Some(format!("{} {}", elf_system(), elf_machine(number)))
        }
        [0xcf, 0xfa, 0xed, 0xfe] => {
            let cpu = u32::from_le_bytes(bytes.get(4..8)?.try_into().ok()?);
            let arch = match cpu {
                0x0100_0007 => "x86_64".into(),
                0x0100_000c => "aarch64".into(),
                other => format!("processor {other}"),
            };
            Some(format!("macos {arch}"))
        }
        [b'M', b'Z', ..] => {
            let at = u32::from_le_bytes(bytes.get(0x3c..0x40)?.try_into().ok()?) as usize;
            let machine = bytes.get(at.checked_add(4)?..at.checked_add(6)?)?;
            let arch = match u16::from_le_bytes([machine[0], machine[1]]) {
                0x8664 => "x86_64".into(),
                0xaa64 => "aarch64".into(),
                0x014c => "x86".into(),
                other => format!("processor {other}"),
            };
            Some(format!("windows {arch}"))
        }
        _ => None,
    }
}

/// ELF does not tell the systems that use it apart.
fn elf_system() -> &'static str {
    if matches!(OS, "macos" | "windows") {
        "linux"
    } else {
        OS
    }
}

fn elf_machine(number: u16) -> String {
    match number {
        3 => "x86".into(),
        40 => "arm".into(),
        62 => "x86_64".into(),
        183 => "aarch64".into(),
        243 => "riscv64".into(),
        22 => "s390x".into(),
        21 => "powerpc64".into(),
        258 => "loongarch64".into(),
        other => format!("processor {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_say_what_they_are_for() {
        let mut elf = vec![0u8; 64];
        elf[..6].copy_from_slice(b"\x7fELF\x02\x01");
        elf[18] = 183;
        assert!(of(&elf).unwrap().ends_with(" aarch64"));
        let mach = [0xcf, 0xfa, 0xed, 0xfe, 0x0c, 0, 0, 1];
        assert_eq!(of(&mach).unwrap(), "macos aarch64");
        let mut pe = vec![0u8; 128];
        pe[..2].copy_from_slice(b"MZ");
        pe[0x3c] = 64;
        pe[68..70].copy_from_slice(&0x8664u16.to_le_bytes());
        assert_eq!(of(&pe).unwrap(), "windows x86_64");
        for none in [&b""[..], b"text of a file", b"\x7fELF", b"MZ"] {
            assert_eq!(of(none), None);
        }
    }

    #[test]
    fn this_program_is_for_this_machine() {
        let bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert_eq!(of(&bytes), Some(here()));
    }
}
