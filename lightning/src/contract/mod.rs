//! The tests that every backend runs, against whatever node it is for.
