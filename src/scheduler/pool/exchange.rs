//! The workers' side: they come, run one task after another, and go.
//!
//! A worker that was started [joins](Scheduler::join), then [exchanges](Scheduler::exchange) an outcome for its next
//! step until it is told to retire. The code that ends it, or finds that it has ended, says that it has
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
    /// Help with the task of another worker; see [`Scheduler::help`].
    Help(Help),
    /// Wait for a ring.
    Idle,
    /// End.
    Retire,
}

impl Scheduler {
    /// A started worker is ready, on this thread. From now on it calls [`exchange`](Self::exchange). Returns false if
    /// the pool does not know it (any more): then it ends.
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

    /// Asks the owner to look how far a task is.
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

    /// As [`exchange`](Self::exchange), for a caller that has already read the clock.
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

    /// Spins until there may be something for the spinning worker of a lane, or the time is over. Returns the time at
    /// the end.
    fn spin(&self, lane: Lane, start: u64, budget: u64) -> u64 {
        loop {
            for _ in 0..8 {
                if self.published.waits(lane) {
                    return now();
                }
                std::hint::spin_loop();
            }
            // The thread that will submit may have been woken on this very core.
            std::thread::yield_now();
            let now = now();
            if now.saturating_sub(start) > budget {
                return now;
            }
        }
    }

    /// Hands over an outcome, without asking for more.
    pub fn finish(&self, id: WorkerId, finished: Finished) {
        let now = now();
        let mut state = self.lock();
        let settled = state.finish(id, finished, now);
        self.follow_up(state, now, settled);
    }

    /// The task in a slot of a worker starts to wait for others: it leaves them its place, and its worker may take one
    /// more. Or the task goes on.
    pub fn set_waits(&self, id: WorkerId, slot: u32, waits: bool) {
        self.change(|state, now| state.set_waits(id, slot, waits, now));
    }

    /// There is a message for the owner in the port of a worker's isolate. If the owner's event loop is blocked, it
    /// cannot see the message, and is told here.
    pub fn look(&self, id: WorkerId) {
        if self.owner.is_blocked() {
            self.control(Control::Look(id));
        }
    }

    /// An isolate has grown too large, and should be replaced.
    pub fn wear_out(&self, id: WorkerId) {
        self.change(|state, _| state.wear_out(id));
    }

    /// Retires an idle worker that has waited in vain, unless the minimum of workers needs it.
    pub fn expire_idle(&self, id: WorkerId) {
        self.lock().expire_idle(id, now());
    }

    /// An isolate that was told to retire has run its teardown. It ends soon by itself, or will be ended.
    pub fn torn_down(&self, id: WorkerId) {
        self.lock().torn_down(id, now());
    }

    /// The isolate of a worker no longer runs. The owner says when it has [left](Self::leave).
    pub fn gone(&self, id: WorkerId) {
        self.control(Control::Gone(id));
    }

    /// A worker has ended, for whatever reason. The tasks that it had end with [`Outcome::WorkerGone`].
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
