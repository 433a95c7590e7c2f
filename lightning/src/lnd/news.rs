//! Invoices as they are settled: one stream that stays open.

use std::time::Duration;

use reqwest::Method;

use super::answer::{Refusal, read_settled};
use super::lines::Lines;
use crate::http::{Body, Connection, Transport, invalid, read_all, transport_error};
use crate::{LightningError, OnSettled};

/// How long one stream is kept: a connection that has died without a word is noticed then.
pub(super) const LIFETIME: Duration = Duration::from_secs(15 * 60);
/// The longest line; an invoice with its route hints and HTLCs is a fraction of it.
const MAX_LINE_BYTES: usize = 1 << 20;

pub(super) async fn follow(
    transport: &Transport,
    settled: &OnSettled<'_>,
) -> Result<(), LightningError> {
    let mut response = transport
        .send(Connection::Fresh, Method::GET, "/v1/invoices/subscribe", Body::Empty, LIFETIME)
        .await?;
    if !response.status().is_success() {
        let status = response.status().as_u16();
        return Err(Refusal::read(status, &read_all(response).await?)?.into_error());
    }
    let mut lines = Lines::new(MAX_LINE_BYTES);
    loop {
        while let Some(line) = lines.next().map_err(|_| invalid("the answer is too long"))? {
            if let Some(hash) = read_settled(&line)?
                && settled(hash).is_none()
            {
                return Ok(());
            }
        }
        match response.chunk().await.map_err(transport_error)? {
            Some(chunk) => lines.push(&chunk),
            None => return Ok(()),
        }
    }
}
