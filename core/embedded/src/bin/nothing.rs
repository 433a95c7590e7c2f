//! The frame alone.
#![no_std]
#![no_main]

plannt_embedded::firmware!(nothing);

fn nothing() {}
