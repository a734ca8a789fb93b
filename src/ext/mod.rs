//! The PHP boundary.
