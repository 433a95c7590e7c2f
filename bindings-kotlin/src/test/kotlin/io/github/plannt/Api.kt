package io.github.plannt

import com.google.gson.GsonBuilder
import java.io.File
import java.util.SortedSet
import java.util.TreeMap
import java.util.TreeSet
import kotlin.metadata.KmClass
import kotlin.metadata.KmClassifier
import kotlin.metadata.KmPackage
import kotlin.metadata.KmType
import kotlin.metadata.Modality
import kotlin.metadata.Visibility
import kotlin.metadata.jvm.KotlinClassMetadata
import kotlin.metadata.modality
import kotlin.metadata.visibility

private const val PACKAGE = "io/github/plannt/"

/** uniffi's own, which the generated source can't hide, and what Kotlin makes of data classes. */
private val noise = Regex(
    "(?i).*uniffi.*|FfiConverter.*|NoHandle|RustBuffer.*|ForeignBytes.*|Disposable|ErrorHandler|component\\d+|copy|equals|hashCode|toString|" +
        "destroy|Companion",
)

/** Prints what the package exports, for scripts/parity.py: each name, and its members. The argument is the folder of its classes. */
fun main(arguments: Array<String>) {
    val folder = File(arguments[0])
    val api = Api()
    for (file in folder.walk().filter { it.extension == "class" }) {
        val name = file.relativeTo(folder).path.removeSuffix(".class")
        val annotation = Class.forName(name.replace('/', '.'), false, Service::class.java.classLoader).getAnnotation(Metadata::class.java)
        when (val metadata = annotation?.let(KotlinClassMetadata::readLenient)) {
            is KotlinClassMetadata.Class -> api.add(metadata.kmClass)
            is KotlinClassMetadata.FileFacade -> api.add(name.substringBeforeLast('/') + "/", metadata.kmPackage)
            else -> {}
        }
    }
    println(GsonBuilder().setPrettyPrinting().create().toJson(api.found()))
}

/** Names as Kotlin writes them, which are not Java's: of what is public, whatever else the bytecode shows. */
private class Api {
    private val members = TreeMap<String, SortedSet<String>>()
    private val hidden = mutableSetOf<String>()

    fun add(one: KmClass) {
        val name = short(one.name)
        if (one.visibility != Visibility.PUBLIC) {
            hidden += name
            return
        }
        val owner = owner(name.removeSuffix(".Companion"))
        owner += one.kmEnumEntries.map { it.name }
        owner += one.functions.filter { it.visibility == Visibility.PUBLIC }.map { it.name }
        owner += one.properties.filter { it.visibility == Visibility.PUBLIC }.map { it.name }
        owner += one.nestedClasses
        if (one.constructors.any { it.visibility == Visibility.PUBLIC } && one.modality != Modality.ABSTRACT) owner += "constructor"
    }

    /** A file's functions are the package's; those that extend a class or its companion are its members. */
    fun add(path: String, file: KmPackage) {
        fun add(name: String, receiver: KmType?, visibility: Visibility) {
            if (visibility != Visibility.PUBLIC) return
            val extended = (receiver?.classifier as? KmClassifier.Class)?.name
            if (extended == null) owner(short(path + name)) else owner(short(extended).removeSuffix(".Companion")) += name
        }
        file.functions.forEach { add(it.name, it.receiverParameterType, it.visibility) }
        file.properties.forEach { add(it.name, it.receiverParameterType, it.visibility) }
    }

    fun found(): Map<String, List<String>> {
        val isShown = { name: String -> name.split('.').none(noise::matches) && hidden.none { name == it || name.startsWith("$it.") } }
        return members.filterKeys(isShown).mapValues { (owner, names) -> names.filter { isShown("$owner.$it") } }
    }

    private fun owner(name: String) = members.getOrPut(name) { TreeSet() }

    /** Without the package; another library's class without all of its. */
    private fun short(name: String): String =
        if (name.startsWith(PACKAGE)) name.removePrefix(PACKAGE).replace('/', '.') else name.substringAfterLast('/')
}
