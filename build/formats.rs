//! Reads and checks `src/formats/*.toml`. Incomplete or ambiguous data ends the build, naming file and line.

use super::catalogue::Event;
use super::definition::{Broken, Definition};
use super::place;

/// The format in `text`, or the first rule that it breaks. `stem` is the file's name without its ending.
pub fn read(file: &str, stem: &str, text: &str, catalogue: &[Event]) -> Result<Definition, String> {
    let definition: Definition = toml::from_str(text).map_err(|error| place::unreadable(file, text, &error))?;
    let refused = |Broken { key, rule }| format!("{}: {key}: {rule}", place::of_key(file, text, &key));
    let own_name = |name: &str| {
        let has = |entry: &&Event| {
            entry.name.as_ref() == name || entry.other_names.iter().any(|other| other.name.as_ref() == name)
        };
        catalogue.iter().find(has).map(|entry| entry.name.as_ref().as_str())
    };
    definition.check(own_name).map_err(refused)?;
    if definition.name != stem {
        return Err(refused(Broken {
            key: "name".to_owned(),
            rule: format!("name must be that of the file, '{stem}'"),
        }));
    }
    Ok(definition)
}
