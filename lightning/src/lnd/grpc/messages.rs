//! The messages of lnd 0.20 that are used here, with no more members than are: protobuf skips what
//! a reader does not know. Source: `lightning.proto` and `routerrpc/router.proto`.
// The derive makes public accessors of private messages.
#![allow(unreachable_pub)]

use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub(super) struct Invoice {
    #[prost(string, tag = "1")]
    pub(super) memo: String,
    #[prost(bytes = "vec", tag = "4")]
    pub(super) r_hash: Vec<u8>,
    #[prost(int64, tag = "11")]
    pub(super) expiry: i64,
    #[prost(int64, tag = "20")]
    pub(super) amt_paid_msat: i64,
    #[prost(int32, tag = "21")]
    pub(super) state: i32,
    #[prost(int64, tag = "23")]
    pub(super) value_msat: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct InvoiceSubscription {}

#[derive(Clone, PartialEq, Message)]
pub(super) struct AddInvoiceResponse {
    #[prost(string, tag = "2")]
    pub(super) payment_request: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct PaymentHash {
    #[prost(bytes = "vec", tag = "2")]
    pub(super) r_hash: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ChannelBalanceRequest {}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ChannelBalanceResponse {
    #[prost(message, optional, tag = "3")]
    pub(super) local_balance: Option<Amount>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Amount {
    #[prost(uint64, tag = "2")]
    pub(super) msat: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SendPaymentRequest {
    #[prost(string, tag = "5")]
    pub(super) payment_request: String,
    #[prost(int32, tag = "6")]
    pub(super) timeout_seconds: i32,
    #[prost(int64, tag = "13")]
    pub(super) fee_limit_msat: i64,
    #[prost(bool, tag = "18")]
    pub(super) no_inflight_updates: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct TrackPaymentRequest {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) payment_hash: Vec<u8>,
}

/// Without `Debug`, which would print the preimage.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct Payment {
    #[prost(string, tag = "1")]
    pub(super) payment_hash: String,
    #[prost(string, tag = "6")]
    pub(super) payment_preimage: String,
    #[prost(int32, tag = "10")]
    pub(super) status: i32,
    #[prost(int64, tag = "12")]
    pub(super) fee_msat: i64,
    #[prost(int32, tag = "16")]
    pub(super) failure_reason: i32,
}

impl std::fmt::Debug for Payment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Payment").field("status", &self.status).finish_non_exhaustive()
    }
}
