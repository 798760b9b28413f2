//! The first byte chooses the parser, the rest is what it reads.
#![no_main]

use journeys::parsers::PARSERS;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Some((which, rest)) = bytes.split_first() {
        (PARSERS[usize::from(*which) % PARSERS.len()].feed)(rest);
    }
});
