//! Lanes: what is due is sent and settled.
