//! Posthorn: dependable webhooks for WordPress CRMs.
//!
//! The modules stand in order of dependence, the lowest first. Knowledge runs one way:
//! `ext → runtime → dispatcher → {store, delivery, format, retry} → values`.
//! Only `ext` knows PHP and only there is unsafe code allowed; only `store` writes SQL.

#![deny(unsafe_code)]
#![warn(missing_docs)]

// Values, checked when made.
pub mod catalogue;
pub mod clock;
pub mod endpoint;
pub mod error;
pub mod event;
pub mod filter;
pub mod json;
pub mod preset;
pub mod secret;
pub mod statement;

// What each step of a delivery needs to know.
pub mod delivery;
pub mod format;
pub mod retry;
pub mod store;

// What makes the steps happen.
pub mod dispatcher;
pub mod runtime;

// The only folder that knows PHP.
#[cfg(feature = "extension")]
#[allow(unsafe_code)]
mod ext;
