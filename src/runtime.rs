//! The thread, the lock, fork and shutdown.
