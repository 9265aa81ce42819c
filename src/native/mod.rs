//! The native lane: threads that run Rust tasks, their context and registry.
