package io.github.plannt

import java.io.File
import java.lang.reflect.Method
import java.lang.reflect.Modifier

/** uniffi's own, which the generated source can't hide, and what Kotlin makes of data classes and enums. */
private val noise = Regex(
    "uniffi|FfiConverter|Uniffi|UniFfi|NoHandle|RustBuffer|ForeignBytes|Disposable|ErrorHandler|component\\d+|copy$|equals$|hashCode$|" +
        "toString$|valueOf$|values$|destroy$|DefaultImpls|IntegrityCheck|\\$",
)

/** Lists what the package exports, a name a line, members after their owner: `Budget`, `Budget.add`. The argument is the folder of its classes. */
fun main(arguments: Array<String>) {
    val folder = File(arguments[0])
    val classes = folder.walk().filter { it.extension == "class" }.map { it.relativeTo(folder).path.removeSuffix(".class").replace('/', '.') }
    classes
        .map { Class.forName(it, false, Service::class.java.classLoader) }.filter(::isPublic).flatMap(::names)
        .filterNot { noise.containsMatchIn(it) }.toSortedSet().forEach(::println)
}

private fun isPublic(one: Class<*>): Boolean {
    val name = one.name.removePrefix("io.github.plannt.")
    return !one.isSynthetic && generateSequence(one) { it.enclosingClass }.all { Modifier.isPublic(it.modifiers) } &&
        internals.none { name == it || name.startsWith("$it$") }
}

/** What is internal in Kotlin is public in Java. */
private val internals = listOf(
    "Checked", "GuardsKt", "Paying", "PayingKt", "http.Sender", "http.Held", "http.Holding", "http.Passed", "http.Waiting", "http.BodiesKt",
    "http.RedirectsKt", "okhttp.Asking", "okhttp.Exchange", "okhttp.ExchangeKt", "okhttp.L402Interceptor", "okhttp.L402InterceptorKt",
    "okhttp.Sending",
)

private fun names(one: Class<*>): List<String> {
    val name = one.name.removePrefix("io.github.plannt.").replace("$", ".").removeSuffix(".Companion")
    val methods = one.declaredMethods.filter { Modifier.isPublic(it.modifiers) && !it.isSynthetic && '-' !in it.name }
    // A file's functions are the package's; those that extend a companion are its class's.
    if (one.simpleName.endsWith("Kt") || one.simpleName in listOf("Drivers", "L402")) {
        val prefix = name.substringBeforeLast('.', "").let { if (it.isEmpty()) "" else "$it." }
        return methods.map { method ->
            val first = method.parameterTypes.firstOrNull()?.name.orEmpty().removePrefix("io.github.plannt.")
            val owner = first.removeSuffix("\$Companion")
            (if (owner == first) prefix else "$owner.") + property(method)
        }
    }
    val constants = one.declaredFields.filter {
        Modifier.isPublic(it.modifiers) && it.name !in listOf("Companion", "INSTANCE")
    }.map { "$name.${it.name}" }
    return listOf(name) + methods.map { "$name.${property(it)}" } + constants
}

private fun property(method: Method): String = Regex("(get|is)([A-Z].*)").matchEntire(method.name)
    ?.let { if (it.groupValues[1] == "get") it.groupValues[2].replaceFirstChar(Char::lowercaseChar) else it.value } ?: method.name
