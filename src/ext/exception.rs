//! The exceptions that PHP code can catch: one class for all, one below it for each thing a caller can do.

use ext_php_rs::exception::PhpException;
use ext_php_rs::prelude::*;
use ext_php_rs::zend::{ClassEntry, ce};

use crate::error::Error;

unsafe extern "C" {
    static spl_ce_RuntimeException: *mut ClassEntry;
}

/// `\RuntimeException`, which ext-php-rs does not list and which no table of classes holds yet when ours are made.
fn runtime_exception() -> &'static ClassEntry {
    // SAFETY: SPL is always compiled in and started before any loaded extension; it never changes the pointer.
    unsafe { spl_ce_RuntimeException.as_ref() }.unwrap_or_else(ce::exception)
}

/// Every error of Posthorn.
#[php_class]
#[php(name = "Posthorn\\Exception")]
#[php(extends(ce = runtime_exception, stub = "\\RuntimeException"))]
#[derive(Default)]
pub struct PosthornException;

/// An argument breaks a rule; the message begins with the argument's key.
#[php_class]
#[php(name = "Posthorn\\InvalidArgument")]
#[php(extends(PosthornException))]
#[derive(Default)]
pub struct InvalidArgument;

/// The queue cannot be used now; the message names the remedy.
#[php_class]
#[php(name = "Posthorn\\Unavailable")]
#[php(extends(PosthornException))]
#[derive(Default)]
pub struct Unavailable;

/// A limit of the queue was reached.
#[php_class]
#[php(name = "Posthorn\\Full")]
#[php(extends(PosthornException))]
#[derive(Default)]
pub struct Full;

impl From<Error> for PhpException {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::InvalidArgument { .. } => PhpException::from_class::<InvalidArgument>(message),
            Error::Unavailable { .. } => PhpException::from_class::<Unavailable>(message),
            Error::Full { .. } => PhpException::from_class::<Full>(message),
            Error::Internal { .. } => PhpException::from_class::<PosthornException>(message),
        }
    }
}
