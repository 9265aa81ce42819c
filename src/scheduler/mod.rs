//! The pool itself: queue, tickets, limits, idle workers, statistics.
