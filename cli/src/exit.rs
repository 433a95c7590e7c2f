//! Exit codes: one for each kind of outcome that a script may want to tell apart.

/// The response was received (whatever its status, unless `--fail`).
pub(crate) const OK: u8 = 0;
/// Anything not listed below.
pub(crate) const OTHER: u8 = 1;
/// The command line is wrong.
pub(crate) const USAGE: u8 = 2;
/// Refused before paying: a limit, an odd invoice, a host that is not allowed.
pub(crate) const REFUSED: u8 = 3;
/// The wallet says that it did not pay.
pub(crate) const NOT_PAID: u8 = 4;
/// It is not known, or not noted, whether the wallet paid; run the same command again to find out.
pub(crate) const UNKNOWN: u8 = 5;
/// Paid, and the service still answered 402.
pub(crate) const LOST: u8 = 6;
/// The service could not be reached, or broke off.
pub(crate) const NETWORK: u8 = 7;
/// The journal can't be used, so nothing was paid.
pub(crate) const JOURNAL: u8 = 8;
/// `--fail`, and the response's status is 400 or more.
pub(crate) const HTTP_ERROR: u8 = 22;

/// The same, for `--help`.
pub(crate) const HELP: &str = "\
Exit codes:
  0   a response was received (see --fail)
  1   another error
  2   the command line is wrong
  3   refused before paying: a limit, an odd invoice, a host that is not allowed
  4   the wallet did not pay
  5   not known whether the wallet paid, or the journal could not note that it did:
      run the same command again, it won't pay twice
  6   paid, and the service still answered 402
  7   the service could not be reached, or broke off
  8   the payment journal can't be used; nothing was paid
  22  --fail, and the response's status is 400 or more";
