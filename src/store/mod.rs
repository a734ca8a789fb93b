//! The queue: the durable store of endpoints, events, deliveries and attempts.
