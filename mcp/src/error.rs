//! Why the server does not start, or stops.

/// Why a server can't be started, or ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum McpError {
    /// The client, or the journal under it, can't be set up.
    #[error(transparent)]
    Client(#[from] plannt_client::ClientError),
    /// The configuration can't be used.
    #[error("the MCP server can't be set up: {message}")]
    Config {
        /// What is wrong.
        message: String,
    },
    /// The client of a stdio server did not begin as the protocol says.
    #[error("the MCP client did not begin a session: {message}")]
    Handshake {
        /// What the SDK says.
        message: String,
    },
    /// A listener or folder can't be had.
    #[error("could not {doing}: {source}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The system's reason.
        source: std::io::Error,
    },
}

impl McpError {
    /// A stable snake_case name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Client(error) => error.code(),
            Self::Config { .. } => "config",
            Self::Handshake { .. } => "handshake",
            Self::Io { .. } => "io",
        }
    }
}
