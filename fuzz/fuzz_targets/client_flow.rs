#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| plannt_fuzz::client_flow::run(data));
