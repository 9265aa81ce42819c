//! Requests to the helper thread of a process, through two words and the text of its seat.
//!
//! Whoever has the region may ask: the watcher, and a program outside of the cluster. A request has a number, one
//! more than the last. Only one is open at a time: asking is a compare-and-swap that succeeds when the last was
//! answered. The helper writes its text, then the number, so an answer that is seen is whole.

use std::sync::atomic::Ordering;

use super::Region;
use super::layout::{TEXT_BYTES, seat};

/// What the helper was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// Number of the request.
    pub number: u32,
    /// What is wanted; the numbers are the helper's.
    pub kind: u8,
    /// What the kind takes.
    pub argument: u32,
}

/// What the helper answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// False when `text` says why it could not be done.
    pub ok: bool,
    /// What was asked for.
    pub text: String,
}

/// Numbers and arguments must fit into one word, with the kind.
const NUMBERS: i64 = 1 << 31;
const ARGUMENTS: u32 = 1 << 24;

fn number_of(word: i64) -> i64 {
    word >> 32 & (NUMBERS - 1)
}

impl Region {
    /// Asks the helper of the process in a seat; gives the number of the request, or none while another is open.
    pub fn ask(&self, seat: usize, kind: u8, argument: u32) -> Option<u32> {
        let asked = self.seat(seat, seat::ASKED);
        let last = asked.load(Ordering::Acquire);
        let answered = self.seat(seat, seat::ANSWERED).load(Ordering::Acquire);
        if number_of(last) != number_of(answered) {
            return None;
        }
        let number = (number_of(last) + 1) % NUMBERS;
        let argument = argument.min(ARGUMENTS - 1);
        let word = number << 32 | i64::from(argument) << 8 | i64::from(kind);
        asked
            .compare_exchange(last, word, Ordering::AcqRel, Ordering::Relaxed)
            .ok()
            .map(|_| number as u32)
    }

    /// The open request to the process in a seat.
    pub fn question(&self, seat: usize) -> Option<Question> {
        let asked = self.seat(seat, seat::ASKED).load(Ordering::Acquire);
        let answered = self.seat(seat, seat::ANSWERED).load(Ordering::Acquire);
        (number_of(asked) != number_of(answered)).then(|| Question {
            number: number_of(asked) as u32,
            kind: asked as u8,
            argument: (asked >> 8) as u32 & (ARGUMENTS - 1),
        })
    }

    /// Answers a request. Of a text that is too long the first lines are kept.
    pub fn answer(&self, seat: usize, number: u32, answer: &Answer) {
        let text = first_lines(&answer.text);
        for (word, bytes) in text.as_bytes().chunks(8).enumerate() {
            let mut whole = [0; 8];
            whole[..bytes.len()].copy_from_slice(bytes);
            self.text_word(seat, word)
                .store(i64::from_le_bytes(whole), Ordering::Relaxed);
        }
        self.seat(seat, seat::TEXT_LENGTH)
            .store(text.len() as i64, Ordering::Relaxed);
        let outcome = if answer.ok { 1 } else { 2 };
        self.seat(seat, seat::ANSWERED)
            .store(i64::from(number) << 32 | outcome, Ordering::Release);
    }

    /// The answer to a request; none while it is open, and none when another has been answered since.
    pub fn answer_to(&self, seat: usize, number: u32) -> Option<Answer> {
        let word = || self.seat(seat, seat::ANSWERED).load(Ordering::Acquire);
        let answered = word();
        if number_of(answered) != i64::from(number) {
            return None;
        }
        let text = self.text(seat);
        // A further answer may have been written meanwhile.
        std::sync::atomic::fence(Ordering::Acquire);
        let asked = self.seat(seat, seat::ASKED).load(Ordering::Relaxed);
        (word() == answered && number_of(asked) == i64::from(number)).then_some(Answer {
            ok: answered as u8 == 1,
            text,
        })
    }
}

fn first_lines(text: &str) -> &str {
    if text.len() <= TEXT_BYTES {
        return text;
    }
    let room = text.floor_char_boundary(TEXT_BYTES);
    let end = text[..room].rfind('\n').unwrap_or(room);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::super::Spec;
    use super::*;

    fn region() -> Region {
        let spec = Spec {
            seats: 2,
            rows: 1,
            cells: 1,
            ..Spec::default()
        };
        Region::create(spec, "").unwrap()
    }

    fn said(text: &str) -> Answer {
        Answer {
            ok: true,
            text: text.into(),
        }
    }

    #[test]
    fn a_helper_can_be_asked_again_and_again() {
        let region = region();
        for turn in 0..5u32 {
            assert_eq!(region.question(1), None);
            let number = region.ask(1, 3, turn).unwrap();
            assert_eq!(region.answer_to(1, number), None);
            let question = region.question(1).unwrap();
            assert_eq!(
                question,
                Question {
                    number,
                    kind: 3,
                    argument: turn
                }
            );
            region.answer(1, number, &said(&format!("answer {turn}")));
            assert_eq!(
                region.answer_to(1, number),
                Some(said(&format!("answer {turn}")))
            );
            assert_eq!(region.question(0), None);
        }
    }

    #[test]
    fn one_request_is_open_at_a_time() {
        let region = region();
        let number = region.ask(0, 1, 0).unwrap();
        assert_eq!(region.ask(0, 1, 0), None);
        region.answer(0, number, &said(""));
        let next = region.ask(0, 1, 0).unwrap();
        assert_ne!(next, number);
        // The text may be overwritten from now on.
        assert_eq!(region.answer_to(0, number), None);
    }

    #[test]
    fn of_those_who_ask_at_once_one_gets_the_turn() {
        let region = region();
        let turns: usize = std::thread::scope(|scope| {
            let asking: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| region.ask(0, 1, 0).is_some()))
                .collect();
            asking
                .into_iter()
                .map(|thread| usize::from(thread.join().unwrap()))
                .sum()
        });
        assert_eq!(turns, 1);
    }

    #[test]
    fn of_a_long_text_whole_lines_are_kept() {
        let region = region();
        let text = "    at somewhere (file.js:1:1)\n".repeat(400);
        let number = region.ask(0, 1, 0).unwrap();
        region.answer(0, number, &said(&text));
        let kept = region.answer_to(0, number).unwrap().text;
        assert!(kept.len() > TEXT_BYTES - 40 && text.starts_with(&kept) && kept.ends_with(":1)"));
    }

    #[test]
    fn the_numbers_begin_again() {
        let region = region();
        let last = NUMBERS - 1;
        for word in [seat::ASKED, seat::ANSWERED] {
            region.seat(0, word).store(last << 32 | 1, Ordering::SeqCst);
        }
        assert_eq!(region.ask(0, 1, 0), Some(0));
        assert_eq!(region.question(0).unwrap().number, 0);
    }
}
