//! Requests to the helper thread of a process, through two words and the text of its seat.
//!
//! Any program that has the region may ask: the watcher, or a program outside of the cluster. A request has a number,
//! one more than the last. Only one is open at a time: asking is a compare-and-swap that succeeds only after the answer
//! to the last request was taken. The helper writes its text, then the number, so an answer that is seen is whole. The
//! asker takes it, after which the text may be overwritten. An asker that has died never does, so others may drop an
//! answer that lies there for long.

use std::sync::atomic::Ordering;

use super::Region;
use super::layout::TEXT_BYTES;
use crate::wire::region::seat;

/// A request to the helper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// Number of the request.
    pub number: u32,
    /// The kind of request, as [`ask`](crate::wire::region::ask) numbers it.
    pub kind: u8,
    /// The argument of this kind.
    pub argument: u32,
}

/// An answer of the helper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// False if `text` says why the request could not be fulfilled.
    pub ok: bool,
    /// The result.
    pub text: String,
}

/// Numbers and arguments must fit into one word, with the kind.
const NUMBERS: i64 = 1 << 31;
const ARGUMENTS: u32 = 1 << 24;

/// What the lower half of the word with the last answer can be.
const DONE: i64 = 1;
const FAILED: i64 = 2;
const TAKEN: i64 = 3;

fn number_of(word: i64) -> i64 {
    word >> 32 & (NUMBERS - 1)
}

impl Region {
    /// Asks the helper of the process in a seat. Returns the number of the request, or none if the answer to another
    /// request has not come or was not taken.
    pub fn ask(&self, seat: usize, kind: u8, argument: u32) -> Option<u32> {
        let asked = self.seat(seat, seat::ASKED);
        let last = asked.load(Ordering::Acquire);
        let answered = self.seat(seat, seat::ANSWERED).load(Ordering::Acquire);
        if number_of(last) != number_of(answered) || is_untaken(answered) {
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

    /// Answers a request. If the text is too long, its first lines are kept.
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
        let outcome = if answer.ok { DONE } else { FAILED };
        self.seat(seat, seat::ANSWERED)
            .store(i64::from(number) << 32 | outcome, Ordering::Release);
    }

    /// Takes the answer to a request. None if there is no answer, or if it was taken or dropped.
    pub fn take_answer(&self, seat: usize, number: u32) -> Option<Answer> {
        let answered = self.seat(seat, seat::ANSWERED);
        let word = answered.load(Ordering::Acquire);
        if number_of(word) != i64::from(number) || !is_untaken(word) {
            return None;
        }
        let answer = Answer {
            ok: word as u8 == DONE as u8,
            text: self.text(seat),
        };
        // If it was not taken until now, nothing can have been written over the text.
        self.mark_taken(seat, word).then_some(answer)
    }

    /// Drops an answer that was not taken, because its asker may have died. Returns whether there was one.
    pub fn drop_answer(&self, seat: usize) -> bool {
        let word = self.seat(seat, seat::ANSWERED).load(Ordering::Acquire);
        is_untaken(word) && self.mark_taken(seat, word)
    }

    fn mark_taken(&self, seat: usize, word: i64) -> bool {
        self.seat(seat, seat::ANSWERED)
            .compare_exchange(
                word,
                number_of(word) << 32 | TAKEN,
                Ordering::AcqRel,
                Ordering::Relaxed,
            )
            .is_ok()
    }
}

fn is_untaken(word: i64) -> bool {
    [DONE as u8, FAILED as u8].contains(&(word as u8))
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
            assert_eq!(region.take_answer(1, number), None);
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
                region.take_answer(1, number),
                Some(said(&format!("answer {turn}")))
            );
            assert_eq!(region.question(0), None);
        }
    }

    #[test]
    fn one_request_is_open_at_a_time_until_its_answer_is_taken() {
        let region = region();
        let number = region.ask(0, 1, 0).unwrap();
        assert_eq!(region.ask(0, 1, 0), None);
        region.answer(0, number, &said("one"));
        assert_eq!(region.ask(0, 1, 0), None);
        assert_eq!(region.take_answer(0, number), Some(said("one")));
        assert_eq!(region.take_answer(0, number), None);
        let next = region.ask(0, 1, 0).unwrap();
        assert_ne!(next, number);
    }

    #[test]
    fn the_answer_of_one_who_died_can_be_dropped() {
        let region = region();
        let number = region.ask(0, 1, 0).unwrap();
        assert!(!region.drop_answer(0));
        region.answer(0, number, &said("nobody hears it"));
        assert!(region.drop_answer(0));
        assert_eq!(region.take_answer(0, number), None);
        assert!(region.ask(0, 1, 0).is_some());
    }

    #[test]
    fn of_many_who_ask_each_gets_an_answer_of_its_own() {
        let region = region();
        let turns = 200;
        std::thread::scope(|scope| {
            let asking: Vec<_> = (0..3u32)
                .map(|who| {
                    let region = &region;
                    scope.spawn(move || {
                        for turn in 0..turns {
                            let argument = who * turns + turn;
                            let number = loop {
                                match region.ask(0, 1, argument) {
                                    Some(number) => break number,
                                    None => std::thread::yield_now(),
                                }
                            };
                            let answer = loop {
                                match region.take_answer(0, number) {
                                    Some(answer) => break answer,
                                    None => std::thread::yield_now(),
                                }
                            };
                            assert_eq!(answer.text, format!("to {argument}"));
                        }
                    })
                })
                .collect();
            while !asking.iter().all(|thread| thread.is_finished()) {
                if let Some(question) = region.question(0) {
                    let text = format!("to {}", question.argument);
                    region.answer(0, question.number, &said(&text));
                }
                std::thread::yield_now();
            }
        });
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
        let kept = region.take_answer(0, number).unwrap().text;
        assert!(kept.len() > TEXT_BYTES - 40 && text.starts_with(&kept) && kept.ends_with(":1)"));
    }

    #[test]
    fn the_numbers_begin_again() {
        let region = region();
        let last = NUMBERS - 1;
        for word in [seat::ASKED, seat::ANSWERED] {
            region
                .seat(0, word)
                .store(last << 32 | TAKEN, Ordering::SeqCst);
        }
        assert_eq!(region.ask(0, 1, 0), Some(0));
        assert_eq!(region.question(0).unwrap().number, 0);
    }
}
