package io.github.plannt

import com.google.gson.JsonElement
import com.google.gson.JsonParser
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicContainer
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import java.io.File

class VectorTest {
    private val folder = File("../conformance/vectors")

    @Test
    fun `every suite is run`() {
        val files = folder.list()!!.filter { it.endsWith(".json") }.toSet()
        assertEquals(files, suites.keys.map { "$it.json" }.toSet())
    }

    /** Numbers that no `Long` holds, and which so can't be said in Kotlin or Java. */
    private fun isUnsayable(value: JsonElement): Boolean = when {
        value.isJsonArray -> value.asJsonArray.any(::isUnsayable)
        value.isJsonObject -> value.asJsonObject.entrySet().any { isUnsayable(it.value) }
        value.isJsonPrimitive && value.asJsonPrimitive.isNumber -> value.asBigInteger.bitLength() > 63
        else -> false
    }

    /** Each case is a test; the number of a suite's is printed. */
    @TestFactory
    fun vectors(): List<DynamicContainer> = suites.map { (suite, answer) ->
        val document = JsonParser.parseString(File(folder, "$suite.json").readText())
        val cases = document.list("groups").flatMap { it.list("tests") }
        assertEquals(document.number("number_of_tests"), cases.size.toLong())
        // Only those whose answer then is another one are left out.
        val unsayable = cases.filter { isUnsayable(it["input"]) && wrong(it, answer) != null }
        val rest = if (unsayable.isEmpty()) "" else ", ${unsayable.size} with a number that no Long holds"
        println("vectors $suite: ${cases.size - unsayable.size} of ${cases.size}$rest")
        assertTrue(unsayable.size <= 1, "$suite: ${unsayable.map { it.text("id") }}")
        DynamicContainer.dynamicContainer(
            suite,
            (cases - unsayable.toSet()).map { case ->
                DynamicTest.dynamicTest(case.text("id")) { assertEquals(null, wrong(case, answer)) }
            },
        )
    }

    /** What is wrong with an answer; null where it is right. */
    private fun wrong(case: JsonElement, answer: (JsonElement) -> JsonElement): String? {
        val result = case.text("result")
        val output = try {
            answer(case["input"])
        } catch (error: Exception) {
            val code = when (error) {
                is PlanntException -> error.code
                is Refused -> error.code
                else -> return "$error"
            }
            if (result !in listOf("invalid", "acceptable")) return "refused: $code"
            val wanted = case.textOrNull("error")
            return if (wanted == null || wanted == code) null else "$code, not $wanted"
        }
        if (result !in listOf("valid", "acceptable")) return "taken: $output"
        val wanted = case["output"]
        return if (wanted.isJsonNull || wanted.plain() == output.plain()) null else "$output, not $wanted"
    }
}
