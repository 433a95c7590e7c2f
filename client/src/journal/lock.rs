//! One call at a time on a request key.

/// Holds a request key until it is dropped, or its process ends.
#[derive(Debug)]
pub struct KeyLock {}
