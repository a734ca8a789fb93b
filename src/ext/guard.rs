//! No panic crosses the boundary.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ext_php_rs::exception::PhpResult;

use crate::error::{Error, Result};

/// Runs `act`. One would assume that ext-php-rs's own handling of a panic is enough, but it throws PHP's
/// `Error`, which `catch (\Exception)` misses; this makes it a `Posthorn\Exception`.
pub(super) fn guard<T>(act: impl FnOnce() -> Result<T>) -> PhpResult<T> {
    match catch_unwind(AssertUnwindSafe(act)) {
        Ok(done) => Ok(done?),
        Err(panic) => {
            Err(Error::Internal { message: format!("an internal error of Posthorn: {}", text(&*panic)) }.into())
        }
    }
}

fn text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("unknown")
}
