//! The PHP boundary: the only folder that knows PHP, and the only one with unsafe code.
//!
//! A function here takes PHP's types in, calls the core and maps its error. PHP values become Rust values
//! before any lock is taken, because turning an object into a value may run PHP code.

mod arrays;
mod classes;
mod convert;
mod exception;
mod functions;
mod guard;
mod ini;
mod lifecycle;
mod page_time;
mod print;
mod statement;

use ext_php_rs::prelude::*;
use lifecycle::module_startup;

/// Describes the extension to PHP.
#[php_module]
#[php(startup = "module_startup")]
pub fn get_module(module: ModuleBuilder) -> ModuleBuilder {
    functions::register(module)
        .name("posthorn")
        .version(env!("CARGO_PKG_VERSION"))
        .shutdown_function(lifecycle::module_shutdown)
        .request_startup_function(lifecycle::request_startup)
        .request_shutdown_function(lifecycle::request_shutdown)
        .info_function(lifecycle::module_info)
        .class::<classes::PhpQueue>()
}
