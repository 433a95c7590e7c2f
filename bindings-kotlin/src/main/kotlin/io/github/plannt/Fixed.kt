package io.github.plannt

/** Marks what Rust has checked already. */
internal object Checked

/** Bytes of a fixed length. A value of such a type has that length, so that no call fails for its sake. */
abstract class FixedBytes internal constructor(internal val bytes: ByteArray) {
    /** A copy of its bytes. */
    fun toByteArray(): ByteArray = bytes.copyOf()

    /** Lower-case hex digits. */
    override fun toString(): String = bytes.joinToString("") { "%02x".format(it) }

    override fun equals(other: Any?): Boolean =
        other is FixedBytes && other.javaClass == javaClass && other.bytes.contentEquals(bytes)

    override fun hashCode(): Int = bytes.contentHashCode()

    internal companion object {
        @Throws(LengthException::class)
        fun exactly(length: Long, bytes: ByteArray): ByteArray {
            checkLength(bytes, length)
            return bytes.copyOf()
        }
    }
}

/** 32 bytes, such as a SHA-256 digest. */
class Bytes32 internal constructor(@Suppress("UNUSED_PARAMETER") checked: Checked, bytes: ByteArray) : FixedBytes(bytes) {
    /** Wraps 32 bytes. */
    @Throws(LengthException::class)
    constructor(bytes: ByteArray) : this(Checked, exactly(32, bytes))
}

/** The nonce of a third-party caveat: 24 bytes from a cryptographic random source, new for each caveat. */
class CaveatNonce internal constructor(@Suppress("UNUSED_PARAMETER") checked: Checked, bytes: ByteArray) : FixedBytes(bytes) {
    /** Wraps 24 bytes. */
    @Throws(LengthException::class)
    constructor(bytes: ByteArray) : this(Checked, exactly(24, bytes))
}

/** A payment hash: SHA-256 of the preimage, 32 bytes (BOLT 11, field `p`). */
class PaymentHash internal constructor(@Suppress("UNUSED_PARAMETER") checked: Checked, bytes: ByteArray) : FixedBytes(bytes) {
    /** Wraps 32 bytes. */
    @Throws(LengthException::class)
    constructor(bytes: ByteArray) : this(Checked, exactly(32, bytes))

    /** Reads payment hashes. */
    companion object {
        /** Reads 64 hex digits of either case. */
        @JvmStatic
        @Throws(HexException::class)
        fun fromHex(text: String): PaymentHash = parsePaymentHash(text)
    }
}

/** A node's compressed public key, 33 bytes. */
class PublicKey internal constructor(@Suppress("UNUSED_PARAMETER") checked: Checked, bytes: ByteArray) : FixedBytes(bytes) {
    /** Wraps 33 bytes. */
    @Throws(LengthException::class)
    constructor(bytes: ByteArray) : this(Checked, exactly(33, bytes))
}

/** A request's scheme, host and port, written `https://host`, with the port only where it is not the scheme's. */
class Origin internal constructor(@Suppress("UNUSED_PARAMETER") checked: Checked, private val text: String) {
    /** Whether the scheme is `https`. */
    val isHttps: Boolean get() = originIsHttps(this)

    /** The host, in lower case. */
    val host: String get() = originHost(this)

    /** The port; the scheme's own when none was named. */
    val port: Int get() = originPort(this)

    /** Whether plain `http` to it stays on this machine or inside Tor: a loopback address, `localhost`, or `.onion`. */
    val isPrivate: Boolean get() = originIsPrivate(this)

    override fun toString(): String = text

    override fun equals(other: Any?): Boolean = other is Origin && other.text == text

    override fun hashCode(): Int = text.hashCode()

    /** Makes origins. */
    companion object {
        /**
         * Puts an origin together: [scheme] is `http` or `https`, [host] a name, an IPv4 address, or an IPv6 address in
         * brackets; without a port it is the scheme's.
         */
        @JvmStatic
        @JvmOverloads
        @Throws(OriginException::class)
        fun of(scheme: String, host: String, port: Int? = null): Origin = originOf(scheme, host, port)

        /** Reads an origin as it is written. */
        @JvmStatic
        @Throws(OriginException::class)
        fun parse(text: String): Origin = parseOrigin(text)
    }
}

/** A text that no record prints: a token's, or an `Authorization` value. */
class SecretText(private val text: String) {
    /** The text, in the clear. */
    fun expose(): String = text

    override fun toString(): String = "[redacted]"

    override fun equals(other: Any?): Boolean = other is SecretText && other.text == text

    override fun hashCode(): Int = text.hashCode()
}

// Java has no unsigned numbers: what crosses the border is checked here.

/** The largest `Long` stands for the largest number, 2^64 - 1, and for all that no `Long` holds: there is no such amount of bitcoin, and no such time. */
internal fun signed(value: ULong): Long = if (value > Long.MAX_VALUE.toULong()) Long.MAX_VALUE else value.toLong()

internal fun signed(value: UInt): Int = if (value > Int.MAX_VALUE.toUInt()) Int.MAX_VALUE else value.toInt()

internal fun unsigned(value: Long): ULong {
    require(value >= 0) { "a number from 0 on is wanted, not $value" }
    return if (value == Long.MAX_VALUE) ULong.MAX_VALUE else value.toULong()
}

internal fun count(value: Int): UInt = count(value.toLong())

internal fun count(value: Long): UInt {
    require(value in 0..UInt.MAX_VALUE.toLong()) { "a number from 0 to ${UInt.MAX_VALUE} is wanted, not $value" }
    return value.toUInt()
}

internal fun tier(value: Int): UByte {
    require(value in 0..255) { "a tier from 0 to 255 is wanted, not $value" }
    return value.toUByte()
}
