#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| plannt_fuzz::macaroon::run(data));
