//! When PHP starts and stops: the module, a request, a forked child.

use std::ffi::{c_int, c_void};
use std::panic::catch_unwind;
use std::sync::Once;
use std::time::Duration;

use ext_php_rs::ffi;
use ext_php_rs::zend::ModuleEntry;
use ext_php_rs::{info_table_end, info_table_row, info_table_start};

use super::{exception, ini, page_time};
use crate::delivery;
use crate::error::{Error, Result};
use crate::runtime::{self, Stop, fork, host};

/// Ending takes this long at most; then the process goes, and what was in flight is sent again.
const PATIENCE: Duration = Duration::from_secs(2);

/// `ZEND_COMPILE_PRELOAD` (Zend/zend_compile.h), set while opcache runs the script of `opcache.preload`.
const COMPILE_PRELOAD: u32 = 1 << 15;

/// A process that was never asked for a queue has no thread, and this file does nothing for it.
static PREPARED: Once = Once::new();

/// MINIT. Starts nothing: PHP-FPM and Apache fork after it, and Apache comes here again after a reload.
pub(super) fn module_startup(_kind: i32, module: i32) -> i32 {
    ini::register(module);
    // PHP says why it does not start the extension when this is not 0.
    i32::from(exception::register().is_err())
}

/// MSHUTDOWN: stops the threads before PHP unloads this library.
pub(super) extern "C" fn module_shutdown(_kind: c_int, module: c_int) -> c_int {
    ini::unregister(module);
    // Also a worker of a server: where each serves one page (pm.max_requests=1) there is nobody else to send it.
    let _ = catch_unwind(|| runtime::stop_all(Stop::FinishDue, PATIENCE));
    0
}

/// RINIT.
pub(super) extern "C" fn request_startup(_kind: c_int, _module: c_int) -> c_int {
    if PREPARED.is_completed() {
        page_time::request_started();
    }
    host::request_started();
    0
}

/// RSHUTDOWN.
pub(super) extern "C" fn request_shutdown(_kind: c_int, _module: c_int) -> c_int {
    host::request_ended();
    0
}

/// What `phpinfo()` shows.
pub(super) extern "C" fn module_info(_module: *mut ModuleEntry) {
    info_table_start!();
    info_table_row!("Posthorn", env!("CARGO_PKG_VERSION"));
    info_table_row!("Data directory", ini::data_dir());
    info_table_end!();
}

/// Refuses to be used while opcache preloads: that happens in the process that then forks those which serve, and a thread of
/// ours would live in it, which nobody could serve.
///
/// # Errors
/// [`Error::Unavailable`] with what to do instead.
pub(super) fn refuse_while_preloading() -> Result<()> {
    // SAFETY: a number of the page's thread, which calls this; no reference to it is kept.
    let options = unsafe { (&raw const ffi::compiler_globals.compiler_options).read() };
    if options & COMPILE_PRELOAD == 0 {
        return Ok(());
    }
    Err(Error::unavailable(
        "a queue cannot be opened while opcache preloads, because the process that does so forks others; open it in a request",
    ))
}

/// Prepares this process for queues and threads: once, and never in a process that only forks others.
pub(super) fn prepare() {
    PREPARED.call_once(|| {
        host::set(host::Host { with_signals_blocked, give_time_back: page_time::give_back, name: sapi() });
        page_time::request_started();
        // Reads the environment, which only the page's thread may.
        delivery::http::prepare();
        // This library has a standard library of its own: nobody else's hook is replaced.
        std::panic::set_hook(Box::new(runtime::log_panic));
        keep_library_loaded();
        // SAFETY: the handlers are functions of this library, which stays loaded.
        unsafe { libc::pthread_atfork(Some(before_fork), Some(after_fork_in_parent), Some(after_fork_in_child)) };
    });
}

/// Blocks every signal while `act` runs, so that a thread it starts never receives one: PHP's timeout signal
/// must not run there, nor SIGCHLD or whatever an extension may use.
fn with_signals_blocked(act: &mut dyn FnMut()) {
    // SAFETY: the sets are ours, and the thread's mask is as before when this returns; `act` does not unwind
    // (it starts a thread and reports failure as a value).
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        let mut before: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
        act();
        libc::pthread_sigmask(libc::SIG_SETMASK, &before, std::ptr::null_mut());
    }
}

/// A thread that is still in its last request when PHP unloads the library would run on into nothing. So a
/// process that has threads never unloads it; the parents of PHP-FPM and Apache have none and do.
fn keep_library_loaded() {
    // SAFETY: asks the loader about an address of this library and for one more reference to it.
    unsafe {
        let mut about: libc::Dl_info = std::mem::zeroed();
        let here = keep_library_loaded as fn() as *const c_void;
        if libc::dladdr(here, &mut about) != 0 && !about.dli_fname.is_null() {
            libc::dlopen(about.dli_fname, libc::RTLD_NOW | libc::RTLD_NOLOAD | libc::RTLD_NODELETE);
        }
    }
}

extern "C" fn before_fork() {
    let _ = catch_unwind(fork::before);
}

extern "C" fn after_fork_in_parent() {
    let _ = catch_unwind(fork::after_in_parent);
}

extern "C" fn after_fork_in_child() {
    let descriptors = catch_unwind(fork::after_in_child).unwrap_or_default();
    for descriptor in descriptors {
        // SAFETY: the child's copies of descriptors whose owners are threads that did not come along. Closing
        // is not unlocking: the parent keeps its lock.
        unsafe { libc::close(descriptor) };
    }
}

fn sapi() -> &'static str {
    unsafe extern "C" {
        static sapi_module: SapiModule;
    }
    /// The first field of PHP's `sapi_module_struct`, `char *name`, is all that is read.
    #[repr(C)]
    struct SapiModule {
        name: *const std::ffi::c_char,
    }
    // SAFETY: PHP sets its SAPI before it loads extensions and never changes it; the name is a literal.
    unsafe { std::ffi::CStr::from_ptr(sapi_module.name).to_str().unwrap_or("unknown") }
}
