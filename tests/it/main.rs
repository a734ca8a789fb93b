//! Integration tests, through the public API.

mod build_data;
mod catalogue;
mod delivery_address;
mod delivery_http;
mod delivery_receiver;
mod endpoint;
mod event;
mod format;
mod json;
mod retry;
