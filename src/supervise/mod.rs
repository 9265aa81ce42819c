//! Watching other processes: heartbeats, readings, the parent-death guard.
