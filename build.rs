//! Checks the catalogue, the formats and the presets, and compiles them in: `catalogue.rs` and `presets.rs` in `OUT_DIR` are
//! the bodies of the statics in the modules of the same names, `formats.json` the list of definitions.

#[path = "build/catalogue.rs"]
mod catalogue;
#[path = "src/format/definition.rs"]
mod definition;
#[path = "build/formats.rs"]
mod formats;
#[path = "build/place.rs"]
mod place;
#[path = "build/presets.rs"]
mod presets;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use catalogue::{Event, Source};
use presets::Preset;

fn main() {
    for watched in
        ["build.rs", "build", "src/catalogue.toml", "src/formats", "src/format/definition.rs", "src/presets.toml"]
    {
        println!("cargo::rerun-if-changed={watched}");
    }
    if let Err(rule) = generate(Path::new(&env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"))) {
        println!("cargo::error={rule}");
    }
}

fn generate(out: &Path) -> Result<(), String> {
    let file = "src/catalogue.toml";
    let events = catalogue::read(file, &text(Path::new(file))?)?;
    write(out.join("catalogue.rs"), emit_catalogue(&events))?;

    let mut paths: Vec<PathBuf> = fs::read_dir("src/formats")
        .map_err(|error| format!("src/formats: {error}"))?
        .map(|entry| entry.map(|entry| entry.path()).map_err(|error| format!("src/formats: {error}")))
        .collect::<Result<_, _>>()?;
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    paths.sort();
    let mut formats = Vec::new();
    for path in &paths {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        formats.push(formats::read(&path.to_string_lossy(), &stem, &text(path)?, &events)?);
    }
    // The default stands first.
    formats.sort_by_key(|format| format.name != "wpresidence");
    let list = serde_json::to_string(&formats).map_err(|error| format!("src/formats: {error}"))?;
    write(out.join("formats.json"), list)?;

    let file = "src/presets.toml";
    let names: Vec<&str> = formats.iter().map(|format| format.name.as_str()).collect();
    write(out.join("presets.rs"), emit_presets(&presets::read(file, &text(Path::new(file))?, &names)?))
}

fn text(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: PathBuf, code: String) -> Result<(), String> {
    fs::write(&path, code).map_err(|error| format!("{}: {error}", path.display()))
}

// Rust's `Debug` of a string or a list of strings is a valid literal of it, which is what `{:?}` is for below.

fn emit_catalogue(events: &[Event]) -> String {
    let mut code = String::from("&[\n");
    for event in events {
        let other_names: Vec<String> = event
            .other_names
            .iter()
            .map(|other| {
                let when =
                    other.when.as_ref().map(|when| format!("When {{ field: {:?}, is: {:?} }}", when.field, when.is));
                format!("OtherName {{ name: {:?}, when: {} }}", other.name.as_ref(), optional(when))
            })
            .collect();
        let source = match event.source {
            Source::Crm => "Crm",
            Source::Site => "Site",
            Source::Dispatch => "Dispatch",
            Source::Posthorn => "Posthorn",
        };
        let _ = writeln!(
            code,
            "Entry {{ name: {:?}, group: {:?}, title: {:?}, note: {:?}, entity: {:?}, source: Source::{source}, \
             offered: {:?}, other_names: &[{}], sample: {:?}, previous: {:?} }},",
            event.name.as_ref(),
            event.group,
            event.title,
            event.note,
            event.entity,
            event.offered,
            other_names.join(", "),
            event.sample.as_ref(),
            event.previous.as_ref().map_or("{}", |previous| previous.as_ref().as_str()),
        );
    }
    code + "]\n"
}

fn emit_presets(presets: &[Preset]) -> String {
    let mut code = String::from("&[\n");
    for preset in presets {
        let _ = writeln!(
            code,
            "Preset {{ name: {:?}, title: {:?}, hosts: &{:?}, format: {:?}, rate_per_second: {:?}, timeout_s: {:?}, \
             max_body_bytes: {:?} }},",
            preset.name.as_ref(),
            preset.title,
            preset.hosts.iter().map(AsRef::as_ref).collect::<Vec<&String>>(),
            preset.format.as_ref().map(AsRef::<String>::as_ref),
            preset.rate_per_second.as_ref().map(AsRef::<f64>::as_ref),
            preset.timeout_s.as_ref().map(AsRef::<f64>::as_ref),
            preset.max_body_bytes.as_ref().map(AsRef::<u64>::as_ref),
        );
    }
    code + "]\n"
}

fn optional(code: Option<String>) -> String {
    code.map_or_else(|| "None".to_owned(), |code| format!("Some({code})"))
}
