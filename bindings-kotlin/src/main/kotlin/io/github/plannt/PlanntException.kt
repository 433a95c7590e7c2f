package io.github.plannt

/**
 * Any error of this package. Each of Rust's error enums is a sealed class below it, with the same variants; all of them tell
 * a stable code and a message in this way.
 */
abstract class PlanntException : Exception() {
    /** The same as [code], from Rust. */
    abstract fun errorCode(): String

    /** The same as [message], from Rust. */
    abstract fun errorMessage(): String

    /** The stable snake_case name that Rust, HTTP bodies and the test vectors have. */
    val code: String get() = errorCode()

    /** What went wrong, without secrets. */
    override val message: String get() = errorMessage()
}
