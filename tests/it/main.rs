//! Integration tests, through the public API.

mod build_data;
mod catalogue;
mod delivery_address;
mod delivery_faults;
mod delivery_http;
mod delivery_names;
mod delivery_proxy;
mod delivery_receiver;
mod delivery_tls;
mod dispatcher_faults;
mod dispatcher_lanes;
mod dispatcher_order;
mod dispatcher_schedule;
mod dispatcher_throttle;
mod endpoint;
mod event;
mod format;
mod json;
mod retry;
mod rig;
mod store_accept;
mod store_endpoints;
mod store_files;
mod store_history;
mod store_tally;
