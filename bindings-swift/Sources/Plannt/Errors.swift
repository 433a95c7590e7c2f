import Foundation

/// Any error of this package. Each of Rust's error enums is one of Swift's, with the same cases; all of them tell a stable code
/// and a message in this way.
public protocol PlanntError: LocalizedError, Sendable {
    /// The same as ``code``, from Rust.
    func errorCode() -> String

    /// The same as ``message``, from Rust.
    func errorMessage() -> String
}

extension PlanntError {
    /// The stable snake_case name that Rust, HTTP bodies and the test vectors have.
    public var code: String { errorCode() }

    /// What went wrong, without secrets.
    public var message: String { errorMessage() }

    /// ``message``, for those who know nothing of this package.
    public var errorDescription: String? { message }
}
