//! Macaroons as a format, whatever they are used for. Each is a value of its own: what changes one gives another.

use napi::bindgen_prelude::{Buffer, Function, Uint8Array};
use napi::{Error, Result};
use napi_derive::napi;
use plannt_core::macaroon::{self as core, Format, MacaroonError};
use serde_json::json;

use crate::credential::exactly;
use crate::error::{raise, type_error};
use crate::plain::hex;

#[napi]
pub struct Macaroon(pub(crate) core::Macaroon);

fn read(result: std::result::Result<core::Macaroon, MacaroonError>) -> Result<Macaroon> {
    result.map(Macaroon).map_err(raise)
}

fn format(name: &str) -> Result<Format> {
    match name {
        "v1" => Ok(Format::V1),
        "v2" => Ok(Format::V2),
        "v2_json" => Ok(Format::V2Json),
        _ => Err(type_error("a format is v1, v2 or v2_json")),
    }
}

#[napi]
impl Macaroon {
    #[napi(catch_unwind)]
    pub fn create(
        root_key: Uint8Array,
        identifier: Uint8Array,
        location: Option<String>,
    ) -> Result<Macaroon> {
        read(core::Macaroon::create(&root_key, &identifier, location.as_deref()))
    }

    #[napi(catch_unwind)]
    pub fn parse(data: Uint8Array) -> Result<Macaroon> {
        read(core::Macaroon::parse(&data))
    }

    #[napi(catch_unwind)]
    pub fn from_format(data: Uint8Array, name: String) -> Result<Macaroon> {
        match format(&name)? {
            Format::V1 => read(core::Macaroon::from_v1(&data)),
            Format::V2Json => read(core::Macaroon::from_json(&data)),
            _ => read(core::Macaroon::from_v2(&data)),
        }
    }

    #[napi(catch_unwind)]
    pub fn to_format(&self, name: String) -> Result<Buffer> {
        self.0.to_format(format(&name)?).map(Into::into).map_err(raise)
    }

    #[napi(catch_unwind)]
    pub fn attenuated(&self, caveat: Uint8Array) -> Result<Macaroon> {
        let mut macaroon = self.0.clone();
        read(macaroon.attenuate(&caveat).map(|()| macaroon))
    }

    #[napi(catch_unwind)]
    pub fn attenuated_third_party(
        &self,
        key: Uint8Array,
        id: Uint8Array,
        nonce: Uint8Array,
        location: Option<String>,
    ) -> Result<Macaroon> {
        let mut macaroon = self.0.clone();
        let (location, nonce) = (location.as_deref(), exactly(&nonce)?);
        let added = macaroon.attenuate_third_party(&key, &id, location, &nonce);
        read(added.map(|()| macaroon))
    }

    #[napi(catch_unwind)]
    pub fn bind(&self, discharge: &Macaroon) -> Macaroon {
        Self(self.0.bind(&discharge.0))
    }

    #[napi(catch_unwind)]
    pub fn verify_signature(&self, root_key: Uint8Array) -> bool {
        self.0.verify_signature(&root_key)
    }

    #[napi(catch_unwind)]
    pub fn verify_discharged(
        &self,
        root_key: Uint8Array,
        discharges: Vec<&Macaroon>,
        satisfied: Function<'_, Buffer, bool>,
    ) -> Result<()> {
        let discharges: Vec<_> = discharges.iter().map(|discharge| discharge.0.clone()).collect();
        let mut thrown: Option<Error> = None;
        let verified = self.0.verify_discharged(&root_key, &discharges, |caveat| {
            satisfied.call(caveat.to_vec().into()).unwrap_or_else(|error| {
                thrown = Some(error);
                false
            })
        });
        thrown.map_or(Ok(()), Err)?;
        verified.map_err(raise)
    }

    #[napi(catch_unwind)]
    pub fn location(&self) -> Option<String> {
        self.0.location().map(str::to_owned)
    }

    #[napi(catch_unwind)]
    pub fn identifier(&self) -> Buffer {
        self.0.identifier().to_vec().into()
    }

    /// The caveats, as JSON.
    #[napi(catch_unwind)]
    pub fn caveats(&self) -> String {
        let caveats = self.0.caveats().map(|caveat| {
            json!({
                "id": hex(caveat.id),
                "verificationId": caveat.verification_id.map(hex),
                "location": caveat.location,
            })
        });
        json!(caveats.collect::<Vec<_>>()).to_string()
    }

    #[napi(catch_unwind)]
    pub fn signature(&self) -> Buffer {
        self.0.signature().to_vec().into()
    }

    #[napi(catch_unwind)]
    pub fn equals(&self, other: &Macaroon) -> bool {
        self.0 == other.0
    }
}

#[napi(catch_unwind)]
pub fn sniff_format(data: Uint8Array) -> Option<&'static str> {
    Format::sniff(&data).and_then(|format| match format {
        Format::V1 => Some("v1"),
        Format::V2 => Some("v2"),
        Format::V2Json => Some("v2_json"),
        _ => None,
    })
}

#[napi(catch_unwind)]
pub fn parse_token(token: String) -> Result<Macaroon> {
    let token: plannt_core::Token = token.parse().map_err(raise)?;
    token.parse_macaroon().map(Macaroon).map_err(raise)
}
