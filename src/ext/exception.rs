//! The exceptions that PHP code can catch: one class for all, one below it for each thing a caller can do. The code of
//! an `Unavailable` says of which kind it is, see [`crate::error::Trouble`].
//!
//! They are made without `#[php_class]`, which gives a class objects of its own kind: such an exception knows neither
//! its file and line nor its trace.

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use ext_php_rs::args::ArgInfo;
use ext_php_rs::builders::ClassBuilder;
use ext_php_rs::class::ClassEntryInfo;
use ext_php_rs::exception::PhpException;
use ext_php_rs::zend::{ClassEntry, ce};

use crate::error::Error;

/// `Posthorn\Exception`, and below it `InvalidArgument`, `Unavailable`, `Full`.
const NAMES: [&str; 4] =
    ["Posthorn\\Exception", "Posthorn\\InvalidArgument", "Posthorn\\Unavailable", "Posthorn\\Full"];
const ANY: usize = 0;
const INVALID_ARGUMENT: usize = 1;
const UNAVAILABLE: usize = 2;
const FULL: usize = 3;

static CLASSES: [AtomicPtr<ClassEntry>; NAMES.len()] = [const { AtomicPtr::new(ptr::null_mut()) }; NAMES.len()];

unsafe extern "C" {
    static spl_ce_RuntimeException: *mut ClassEntry;
}

/// Makes the classes known to PHP. To be called in module startup.
pub(super) fn register() -> ext_php_rs::error::Result<()> {
    add::<ANY>((runtime_exception, "\\RuntimeException"))?;
    add::<INVALID_ARGUMENT>((class::<ANY>, NAMES[ANY]))?;
    add::<UNAVAILABLE>((class::<ANY>, NAMES[ANY]))?;
    add::<FULL>((class::<ANY>, NAMES[ANY]))
}

fn add<const N: usize>(parent: ClassEntryInfo) -> ext_php_rs::error::Result<()> {
    ClassBuilder::new(NAMES[N]).extends(parent).registration(keep::<N>).register()
}

#[allow(clippy::boxed_local, reason = "the builder's signature")]
fn keep<const N: usize>(class: &'static mut ClassEntry, _methods: Box<[Box<[ArgInfo]>]>) {
    CLASSES[N].store(class, Ordering::Release);
}

fn class<const N: usize>() -> &'static ClassEntry {
    // SAFETY: null before module startup, then a class that PHP keeps until module shutdown.
    unsafe { CLASSES[N].load(Ordering::Acquire).as_ref() }.unwrap_or_else(ce::exception)
}

/// `\RuntimeException`, which ext-php-rs does not list and which no table of classes holds yet when ours are made.
fn runtime_exception() -> &'static ClassEntry {
    // SAFETY: SPL is always compiled in and started before any loaded extension; it never changes the pointer.
    unsafe { spl_ce_RuntimeException.as_ref() }.unwrap_or_else(ce::exception)
}

impl From<Error> for PhpException {
    fn from(error: Error) -> Self {
        let class = match error {
            Error::InvalidArgument { .. } => class::<INVALID_ARGUMENT>(),
            Error::Unavailable { .. } => class::<UNAVAILABLE>(),
            Error::Full { .. } => class::<FULL>(),
            Error::Internal { .. } => class::<ANY>(),
        };
        let code = match error {
            Error::Unavailable { trouble, .. } => trouble as i32,
            _ => 0,
        };
        // A zero byte would end the message for PHP.
        PhpException::new(error.to_string().replace('\0', "\\0"), code, class)
    }
}
