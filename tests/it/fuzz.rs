//! A short round of the fuzz targets: every seed as it is, then with small changes, the same ones in every run.
//! `make fuzz` goes on from there.

#[path = "../../fuzz/targets/mod.rs"]
mod targets;

use std::fs;
use std::path::Path;

/// The seeds of a target, and what once broke it, in the order of their names.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} has no seeds", folder.display());
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// Knuth's MMIX generator.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end.max(1)
    }
}

/// `seed` with a few changes: bytes flipped, put in, taken out, repeated, a piece of `other`.
fn changed(seed: &[u8], other: &[u8], chance: &mut Chance) -> Vec<u8> {
    const TELLING: &[u8] = b"\0\t\n\r \"'%(),-./0123456789:;=@[\\]`{}\x7f\x80\xbf\xc3\xff";
    let mut bytes = seed.to_vec();
    for _ in 0..=chance.below(4) {
        let at = chance.below(bytes.len() + 1);
        match chance.below(6) {
            0 => bytes.insert(at, TELLING[chance.below(TELLING.len())]),
            1 if at < bytes.len() => bytes[at] ^= 1 << chance.below(8),
            2 if at < bytes.len() => bytes[at] = TELLING[chance.below(TELLING.len())],
            3 => bytes.truncate(at),
            4 => {
                let piece = bytes[at..].iter().copied().take(chance.below(40)).collect::<Vec<u8>>();
                bytes.splice(at..at, piece);
            }
            _ => {
                let from = chance.below(other.len() + 1);
                let piece = other[from..].iter().copied().take(chance.below(20)).collect::<Vec<u8>>();
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

fn short_round(target: &str, rounds: usize) {
    let seeds = seeds(target);
    let mut chance = Chance(7);
    for seed in &seeds {
        targets::run(target, seed);
    }
    for round in 0..rounds {
        let other = &seeds[chance.below(seeds.len())];
        let bytes = changed(&seeds[round % seeds.len()], other, &mut chance);
        let shown = bytes.escape_ascii().to_string();
        let ran = std::panic::catch_unwind(|| targets::run(target, &bytes));
        assert!(ran.is_ok(), "{target} breaks by: {shown}");
    }
}

macro_rules! rounds {
    ($($fact:ident: $target:literal $rounds:literal;)*) => {
        $(#[test] fn $fact() { short_round($target, $rounds); })*

        #[test]
        fn every_target_has_its_round() {
            let run: Vec<&str> = vec![$($target),*];
            assert_eq!(run, targets::TARGETS.map(|(name, _)| name));
        }
    };
}

rounds! {
    any_address_is_judged_alike_however_it_is_carried: "address" 20_000;
    any_answer_is_an_answer_or_a_failure: "answer" 1500;
    any_endpoint_is_refused_or_reads_back_as_itself: "endpoint" 20_000;
    any_environment_names_a_usable_proxy_or_none: "environment" 20_000;
    any_filter_means_the_same_with_the_name_of_the_entity_in_front: "filter" 10_000;
    any_event_is_the_same_body_on_every_attempt_in_every_format: "format" 1000;
    any_json_reads_back_as_it_was_printed: "json" 20_000;
    any_retry_after_is_at_most_a_day: "retry_after" 20_000;
    any_row_is_read_without_a_panic: "rows" 150;
    any_statement_is_read_without_a_panic: "statement" 10_000;
    any_url_that_is_not_public_is_refused: "url" 5000;
}
