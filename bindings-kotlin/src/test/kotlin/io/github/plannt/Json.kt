package io.github.plannt

import com.google.gson.JsonArray
import com.google.gson.JsonElement
import com.google.gson.JsonNull
import com.google.gson.JsonObject
import com.google.gson.JsonPrimitive
import java.math.BigInteger

// JSON of the vectors: members that have to be there, and numbers as this package has them.

internal operator fun JsonElement.get(name: String): JsonElement = asJsonObject.get(name) ?: JsonNull.INSTANCE

internal fun JsonElement.text(name: String): String = get(name).asString

internal fun JsonElement.textOrNull(name: String): String? = get(name).takeUnless { it.isJsonNull }?.asString

private val largest = BigInteger(ULong.MAX_VALUE.toString())

/** The largest number is the largest `Long`, in this package as here. */
internal fun JsonElement.number(name: String): Long =
    get(name).asBigInteger.let { if (it == largest) Long.MAX_VALUE else it.longValueExact() }

internal fun JsonElement.numberOrNull(name: String): Long? = get(name).takeUnless { it.isJsonNull }?.let { number(name) }

internal fun JsonElement.flag(name: String): Boolean = get(name).asBoolean

internal fun JsonElement.list(name: String): List<JsonElement> = get(name).takeUnless { it.isJsonNull }?.asJsonArray?.toList() ?: listOf()

internal fun JsonElement.texts(name: String): List<String> = list(name).map { it.asString }

internal fun JsonElement.bytes(name: String): ByteArray = unhex(text(name))

internal fun json(vararg members: Pair<String, Any?>): JsonObject =
    JsonObject().apply { members.forEach { (name, value) -> add(name, element(value)) } }

private fun element(value: Any?): JsonElement = when (value) {
    null -> JsonNull.INSTANCE
    is JsonElement -> value
    is Boolean -> JsonPrimitive(value)
    Long.MAX_VALUE -> JsonPrimitive(largest)
    is Number -> JsonPrimitive(BigInteger(value.toString()))
    is List<*> -> JsonArray().apply { value.forEach { add(element(it)) } }
    else -> JsonPrimitive(value.toString())
}

/** What compares as JSON does: members in any order, numbers by what they are. */
internal fun JsonElement.plain(): Any? = when {
    isJsonNull -> null
    isJsonArray -> asJsonArray.map { it.plain() }
    isJsonObject -> asJsonObject.entrySet().associate { (name, value) -> name to value.plain() }
    asJsonPrimitive.isNumber -> asBigInteger
    asJsonPrimitive.isBoolean -> asBoolean
    else -> asString
}

internal fun unhex(text: String): ByteArray {
    require(text.length % 2 == 0) { "hex digits" }
    return text.chunked(2).map { it.toInt(16).toByte() }.toByteArray()
}

internal fun hex(bytes: ByteArray): String = bytes.joinToString("") { "%02x".format(it) }
