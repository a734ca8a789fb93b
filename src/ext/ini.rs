//! The INI settings: the defaults of `Queue::open`'s options.

use std::ffi::{CStr, c_char, c_int};

use ext_php_rs::flags::IniEntryPermission;
use ext_php_rs::zend::{IniEntryDef, IniEntryDefs};

const DATA_DIR: &CStr = c"posthorn.data_dir";
const BACKGROUND: &CStr = c"posthorn.background";
const SYNC: &CStr = c"posthorn.sync";
const MAX_CONCURRENCY: &CStr = c"posthorn.max_concurrency";

static ENTRIES: IniEntryDefs<5> = IniEntryDefs::new([
    IniEntryDef::new(DATA_DIR, c"/var/lib/posthorn", IniEntryPermission::System),
    IniEntryDef::new(BACKGROUND, c"1", IniEntryPermission::System),
    IniEntryDef::new(SYNC, c"normal", IniEntryPermission::System),
    IniEntryDef::new(MAX_CONCURRENCY, c"32", IniEntryPermission::System),
    IniEntryDef::end(),
]);

unsafe extern "C" {
    fn zend_ini_string(name: *const c_char, length: usize, original: c_int) -> *const c_char;
    fn zend_unregister_ini_entries(module: c_int);
}

/// Makes the settings known to PHP.
pub(super) fn register(module: c_int) {
    IniEntryDef::register(ENTRIES.as_slice(), module);
}

/// Takes them back: PHP would read this library's memory after it is unloaded.
pub(super) fn unregister(module: c_int) {
    // SAFETY: called in module shutdown with the number that PHP gave this module.
    unsafe { zend_unregister_ini_entries(module) }
}

fn text(name: &CStr) -> String {
    // SAFETY: called in a PHP thread; PHP returns null or a string that lives until the setting changes,
    // and it is copied at once.
    unsafe {
        let value = zend_ini_string(name.as_ptr(), name.count_bytes(), 0);
        if value.is_null() { String::new() } else { CStr::from_ptr(value).to_string_lossy().into_owned() }
    }
}

/// Under which queues are made.
pub(super) fn data_dir() -> String {
    text(DATA_DIR)
}

/// Whether this process may send in the background.
pub(super) fn background() -> bool {
    !matches!(text(BACKGROUND).to_ascii_lowercase().as_str(), "" | "0" | "off" | "no" | "false")
}

/// `normal` or `full`.
pub(super) fn sync() -> String {
    text(SYNC)
}

/// Sender threads of the dispatcher, as written.
pub(super) fn max_concurrency() -> String {
    text(MAX_CONCURRENCY)
}
