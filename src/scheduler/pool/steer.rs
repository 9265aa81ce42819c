//! The owner's side: it configures the pool, pauses and resumes it, and ends it.
//!
//! A pool ends in two steps. Once closed, it takes no more tasks, and its workers retire as they run out of tasks. When
//! the last worker of a lane leaves, the owner is told [`Control::LaneEnded`].

use std::sync::Arc;

use super::Scheduler;
use super::follow_up::ring_all;
use crate::scheduler::clock::now;
use crate::scheduler::groups::GroupLimits;
use crate::scheduler::ids::WorkerId;
use crate::scheduler::lane::Lane;
use crate::scheduler::outbox::{Control, Reminder};
use crate::scheduler::state::{Wear, ns};
use crate::scheduler::task::Outcome;

impl Scheduler {
    /// Sets how much the tasks of the group of this name may use. To be called before there are any.
    pub fn configure_group(&self, name: Box<str>, limits: GroupLimits) {
        self.lock().configure_group(name, limits);
    }

    /// Sets the pool's own function, whose number is [`OWN`](crate::wire::target::OWN). To be called before there are
    /// tasks.
    pub fn set_own_target(&self, text: &str, name: &str) {
        let mut state = self.lock();
        let function = state.function(text, name);
        state.targets().set_own(function);
    }

    /// The number of a function for script tasks. It is valid until it is [forgotten](Self::forget_target) and no task
    /// names it.
    pub fn add_target(&self, text: &str, name: &str) -> u32 {
        let mut state = self.lock();
        let function = state.function(text, name);
        state.targets().add(function)
    }

    /// Says that no new task will name this function.
    pub fn forget_target(&self, number: u32) {
        self.lock().targets().forget(number);
    }

    /// The function of this number, while a task names it or the owner keeps it.
    pub fn target(&self, number: u32) -> Option<Arc<str>> {
        let mut state = self.lock();
        let function = state.targets().get(number);
        function.map(|function| Arc::clone(&function.text))
    }

    /// Sets when isolates are replaced: after this many tasks (`u32::MAX` is never), after this many milliseconds
    /// (`u32::MAX` is never), or each after one task. To be called before there are isolates.
    pub fn recycle(&self, tasks: u32, age: u32, one_task: bool) {
        self.lock().set_wear(Wear {
            tasks,
            age: ns(age),
            one_task,
        });
    }

    /// Replaces every isolate that exists now, one after another.
    pub fn wear_all_out(&self) {
        let bells = self.change(|state, now| state.wear_all_out(now));
        ring_all(&bells);
    }

    /// Pauses or resumes the start of waiting tasks. Running tasks go on.
    pub fn pause(&self, paused: bool) {
        self.change(|state, _| state.pause(paused));
    }

    /// Changes how many workers there may be. Idle workers that are too many end now, busy ones when they have ended
    /// their tasks.
    pub fn resize(&self, min_threads: u32, max_threads: u32) {
        let bells = self.change(|state, now| state.resize(min_threads, max_threads, now));
        ring_all(&bells);
    }

    /// The isolate of a worker is being started. Its allowed time begins.
    pub fn begin_start(&self, id: WorkerId) {
        self.lock().begin_start(id, now());
    }

    /// [Reminds](Control::Remind) the owner after this many milliseconds. If the same reminder is already set to come
    /// sooner, that one stays.
    pub fn remind(&self, reminder: Reminder, ms: u32) {
        self.lock().remind(reminder, ms, now());
    }

    /// The owner is about to end this worker, because it was rung and does not come: the pool stops counting on it.
    /// Returns for how many nanoseconds it has not come; none if it has come meanwhile.
    pub fn end_stalled(&self, id: WorkerId) -> Option<u64> {
        self.change(|state, now| state.end_stalled(id, now))
    }

    /// A worker that does not come is not ended yet.
    pub fn excuse(&self, id: WorkerId) {
        self.lock().excuse(id, now());
    }

    /// Rejects all waiting tasks with [`Outcome::Cancelled`]. Returns their number.
    pub fn cancel_waiting(&self) -> usize {
        self.reject(|state| state.cancel_all_waiting(now()))
    }

    /// Takes no more tasks. Workers end once they run nothing. Waiting tasks are not run: the owner closes when nothing
    /// waits.
    pub fn close(&self) {
        let mut state = self.lock();
        let bells = state.close(now());
        let ended = Lane::ALL.map(|lane| state.has_ended(lane).then_some(lane));
        drop(state);
        ring_all(&bells);
        for lane in ended.into_iter().flatten() {
            self.control(Control::LaneEnded(lane));
        }
    }

    /// Closes, and rejects all waiting and running tasks with [`Outcome::PoolClosed`].
    pub fn destroy(&self) {
        let mut cancels = Vec::new();
        self.reject(|state| {
            let mut messages = state.fail_all_waiting(|| Outcome::PoolClosed);
            let (running, abandoned) = state.abandon_running(now());
            messages.extend(running);
            cancels = abandoned;
            messages
        });
        for cancel in cancels {
            cancel.tell();
        }
        self.close();
    }
}
