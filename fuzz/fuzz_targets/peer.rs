#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| plannt_fuzz::peer::run(data));
