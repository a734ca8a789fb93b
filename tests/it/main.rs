//! Integration tests, through the public API.

mod catalogue;
mod endpoint;
mod event;
mod format;
mod json;
mod retry;
