//! What the HTTP backends share: where the service is, how it is asked, what its answers hold.
// Which parts are used depends on the backends that are built in.
#![cfg_attr(not(feature = "all"), allow(dead_code, unused_imports))]

mod fields;
mod service;
mod transport;

pub(crate) use self::fields::{
    Msat, cut, invalid, is_about, preimage, proof, read_bolt11, sats, whole_sats,
};
pub use self::service::ServiceConfig;
pub(crate) use self::service::{Defaults, Tls};
pub(crate) use self::transport::{
    Answer, Body, Connection, Endpoint, Transport, not_sent, read_all, transport_error,
};
