//! Working a devnet's switches from another process.

use std::path::Path;

use plannt_core::PaymentHash;
use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::records::{InvoiceRecord, PaymentRecord};
use super::{DevnetError, DevnetFile, Fault};
use crate::lnd::Lnd;

/// A connection to the control listener of a running devnet.
#[derive(Debug)]
pub struct Control {
    node: Lnd,
}

impl Control {
    /// Finds the devnet of a data folder by its `devnet.json`.
    ///
    /// # Errors
    /// [`DevnetError::NotRunning`].
    pub fn open(data_dir: &Path) -> Result<Self, DevnetError> {
        let file = DevnetFile::read(data_dir)
            .ok_or_else(|| not_running("there is no devnet.json in the data folder"))?;
        let node = Lnd::from_url(&file.control_url).map_err(not_running)?;
        Ok(Self { node })
    }

    /// The faults that are set.
    ///
    /// # Errors
    /// [`DevnetError::NotRunning`].
    pub async fn faults(&self) -> Result<Vec<Fault>, DevnetError> {
        let list: FaultList = self.get("/devnet/v1/faults").await?;
        Ok(list.faults)
    }

    /// Sets a fault.
    ///
    /// # Errors
    /// [`DevnetError::NotRunning`].
    pub async fn set_fault(&self, fault: &Fault) -> Result<(), DevnetError> {
        let body = serde_json::to_value(fault).map_err(not_running)?;
        self.call(Method::POST, "/devnet/v1/faults", Some(&body)).await.map(drop)
    }

    /// Clears all faults.
    ///
    /// # Errors
    /// [`DevnetError::NotRunning`].
    pub async fn clear_faults(&self) -> Result<(), DevnetError> {
        self.call(Method::DELETE, "/devnet/v1/faults", None).await.map(drop)
    }

    /// Every payment that was asked for, oldest first.
    ///
    /// # Errors
    /// [`DevnetError::NotRunning`].
    pub async fn payments(&self) -> Result<Vec<PaymentRecord>, DevnetError> {
        let list: PaymentList = self.get("/devnet/v1/payments").await?;
        Ok(list.payments)
    }

    /// Every invoice, oldest first.
    ///
    /// # Errors
    /// [`DevnetError::NotRunning`].
    pub async fn invoices(&self) -> Result<Vec<InvoiceRecord>, DevnetError> {
        let list: InvoiceList = self.get("/devnet/v1/invoices").await?;
        Ok(list.invoices)
    }

    /// Lets what is stuck in flight succeed.
    ///
    /// # Errors
    /// [`DevnetError::NotInFlight`], [`DevnetError::NotRunning`].
    pub async fn settle(&self, hash: &PaymentHash) -> Result<(), DevnetError> {
        let path = format!("/devnet/v1/payments/{hash}/settle");
        self.call(Method::POST, &path, None).await.map(drop)
    }

    /// Lets what is stuck in flight fail.
    ///
    /// # Errors
    /// [`DevnetError::NotInFlight`], [`DevnetError::NotRunning`].
    pub async fn fail(&self, hash: &PaymentHash) -> Result<(), DevnetError> {
        let path = format!("/devnet/v1/payments/{hash}/fail");
        self.call(Method::POST, &path, None).await.map(drop)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, DevnetError> {
        let body = self.call(Method::GET, path, None).await?;
        serde_json::from_slice(&body).map_err(|_| not_running("not the answer of a devnet"))
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&serde_json::Value>,
    ) -> Result<Vec<u8>, DevnetError> {
        let answer = self.node.call(method, path, body).await.map_err(not_running)?;
        answer.ok_or(DevnetError::NotInFlight)
    }
}

#[derive(Deserialize)]
struct FaultList {
    faults: Vec<Fault>,
}

#[derive(Deserialize)]
struct InvoiceList {
    invoices: Vec<InvoiceRecord>,
}

#[derive(Deserialize)]
struct PaymentList {
    payments: Vec<PaymentRecord>,
}

fn not_running(message: impl ToString) -> DevnetError {
    DevnetError::NotRunning { message: message.to_string() }
}
