//! `PARSER=<name>` chooses one; without it the first byte chooses, and the rest is what is read. With
//! `BEGIN=<folder>` the parser's seeds and the words of all parsers are put there first: libFuzzer reads them after.
#![no_main]

use libfuzzer_sys::fuzz_target;
use readers::{PARSERS, Parser, WORDS};
use std::{fmt::Write, fs, path::Path, sync::LazyLock};

static CHOSEN: LazyLock<Option<&Parser>> = LazyLock::new(|| {
    let name = std::env::var("PARSER").ok()?;
    Some(PARSERS.iter().find(|p| p.name == name).expect("a parser of this name"))
});

fn begin(folder: &Path) -> std::io::Result<()> {
    let seeds = folder.join("seeds");
    fs::create_dir_all(&seeds)?;
    let all = PARSERS.iter().zip(0u8..).filter(|(p, _)| CHOSEN.is_none_or(|chosen| chosen.name == p.name));
    for (parser, which) in all {
        for (n, seed) in parser.seeds.iter().enumerate() {
            let first = CHOSEN.is_none().then_some(which);
            let bytes: Vec<u8> = first.into_iter().chain(seed.bytes()).collect();
            fs::write(seeds.join(format!("{}-{n}", parser.name)), bytes)?;
        }
    }
    let mut words = String::new();
    for word in WORDS {
        let hex = word.iter().fold(String::new(), |hex, byte| hex + &format!("\\x{byte:02X}"));
        writeln!(words, "\"{hex}\"").expect("a text takes a text");
    }
    fs::write(folder.join("words"), words)
}

fuzz_target!(
    init: {
        if let Some(folder) = std::env::var_os("BEGIN") {
            begin(Path::new(&folder)).expect("seeds and words are written");
        }
    },
    |bytes: &[u8]| {
        match (*CHOSEN, bytes.split_first()) {
            (Some(parser), _) => (parser.feed)(bytes),
            (None, Some((which, rest))) => (PARSERS[usize::from(*which) % PARSERS.len()].feed)(rest),
            (None, None) => {}
        }
    }
);
