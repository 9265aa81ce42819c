//! The workers' side: they come, run one task after another, and go.
//!
//! A worker that was started [joins](Scheduler::join), then [exchanges](Scheduler::exchange) an outcome for
//! what to do next until it is told to retire. Whoever ends it, or finds it ended, says that it has
//! [left](Scheduler::leave).

use std::sync::Arc;

use super::Scheduler;
use crate::scheduler::bell::{Bell, Ring};
use crate::scheduler::clock::now;
use crate::scheduler::ids::WorkerId;
use crate::scheduler::lane::Lane;
use crate::scheduler::latest::Latest;
use crate::scheduler::outbox::{Control, Message};
use crate::scheduler::state::{Help, Next};
use crate::scheduler::task::{Finished, Taken};
use crate::supervise::reading;

/// What a worker does next.
#[derive(Debug)]
pub enum Step {
    /// Run this task.
    Run(Taken),
    /// Help with the task of another worker: see [`Scheduler::help`].
    Help(Help),
    /// Wait to be rung.
    Idle,
    /// End.
    Retire,
}

impl Scheduler {
    /// A started worker is ready, on this thread; from here on it calls [`exchange`](Self::exchange). False when
    /// the pool does not know it (any more): it ends.
    #[must_use]
    pub fn join(&self, id: WorkerId, bell: Arc<dyn Bell>) -> bool {
        let (thread, now) = (reading::this_thread(), now());
        let mut state = self.lock();
        state.set_thread(id, thread);
        let joined = state.join(id, bell, now);
        drop(state);
        let Some(joined) = joined else {
            return false;
        };
        if joined.is_ready {
            self.control(Control::Ready(id));
        }
        self.send_all(joined.begun);
        for cancel in joined.cancels {
            cancel.tell();
        }
        if let Some(bell) = joined.relieved {
            bell.ring(Ring::Lane);
        }
        true
    }

    /// A task that was [given](Self::submit_direct) to a worker has arrived there.
    pub fn has_seen(&self, id: WorkerId) {
        self.lock().has_seen(id);
    }

    /// The code of a worker's isolate runs; it will [`join`](Self::join) when it is ready.
    pub fn has_begun(&self, id: WorkerId) {
        self.lock().has_begun(id);
    }

    /// Has the owner look how far a task is.
    pub fn tell_progress(&self, ticket: u32, generation: u32, latest: &Arc<Latest>) {
        self.owner.send(Message::Progress {
            ticket,
            generation,
            latest: Arc::clone(latest),
        });
    }

    /// Hands over the outcome of a task, and asks what to do next.
    pub fn exchange(&self, id: WorkerId, finished: Option<Finished>) -> Step {
        self.exchange_at(id, finished, now())
    }

    /// As [`exchange`](Self::exchange), by a caller that has asked what time it is.
    pub fn exchange_at(&self, id: WorkerId, finished: Option<Finished>, mut now: u64) -> Step {
        let mut state = self.lock();
        let ended = finished.is_some();
        let settled = finished.and_then(|finished| state.finish(id, finished, now));
        let abandoned = ended && settled.is_none();
        let mut next = state.next(id, true, now);
        let lane = state.lane_of(id);
        self.follow_up(state, now, settled);
        if abandoned && lane == Some(Lane::Native) {
            self.owner.ring();
        }
        if let (Next::Spin(budget), Some(lane)) = (&next, lane) {
            now = self.spin(lane, now, *budget);
            let mut state = self.lock();
            next = state.next(id, false, now);
            self.follow_up(state, now, None);
        }
        match next {
            Next::Run(taken) => {
                self.started(id, &taken);
                self.want(id, &taken);
                Step::Run(taken)
            }
            Next::Help(help) => Step::Help(help),
            Next::Retire => Step::Retire,
            Next::Idle | Next::Spin(_) => Step::Idle,
        }
    }

    /// Waits actively until there may be something for the worker that spins in a lane, or the time is over.
    /// Gives the time then.
    fn spin(&self, lane: Lane, start: u64, budget: u64) -> u64 {
        loop {
            for _ in 0..8 {
                if self.published.waits(lane) {
                    return now();
                }
                std::hint::spin_loop();
            }
            // The thread that is to submit may have been woken on this very core.
            std::thread::yield_now();
            let now = now();
            if now.saturating_sub(start) > budget {
                return now;
            }
        }
    }

    /// Hands over an outcome only.
    pub fn finish(&self, id: WorkerId, finished: Finished) {
        let now = now();
        let mut state = self.lock();
        let settled = state.finish(id, finished, now);
        self.follow_up(state, now, settled);
    }

    /// The task in a slot of a worker waits for others: it leaves its place to them, and its worker may take
    /// one more. Or it goes on.
    pub fn set_waits(&self, id: WorkerId, slot: u32, waits: bool) {
        self.change(|state, now| state.set_waits(id, slot, waits, now));
    }

    /// There is a message for the owner in the port of a worker's isolate: says so if the owner's event
    /// loop, which would see it, is blocked.
    pub fn look(&self, id: WorkerId) {
        if self.owner.is_blocked() {
            self.control(Control::Look(id));
        }
    }

    /// An isolate has grown too large, and is to be replaced.
    pub fn wear_out(&self, id: WorkerId) {
        self.change(|state, _| state.wear_out(id));
    }

    /// Retires an idle worker that has waited in vain, unless the minimum needs it.
    pub fn expire_idle(&self, id: WorkerId) {
        self.lock().expire_idle(id, now());
    }

    /// An isolate that was told to retire has run its teardown: it ends soon, or is ended.
    pub fn torn_down(&self, id: WorkerId) {
        self.lock().torn_down(id, now());
    }

    /// The isolate of a worker runs no more. The owner says when it has [left](Self::leave).
    pub fn gone(&self, id: WorkerId) {
        self.control(Control::Gone(id));
    }

    /// A worker ended, in whatever way. The tasks that it had end with [`Outcome::WorkerGone`].
    pub fn leave(&self, id: WorkerId) {
        let now = now();
        let mut state = self.lock();
        let Some(lane) = state.lane_of(id) else {
            return;
        };
        let messages = state.remove_worker(id, now);
        let ended = state.has_ended(lane);
        self.follow_up(state, now, messages);
        if ended {
            self.control(Control::LaneEnded(lane));
        }
    }
}
