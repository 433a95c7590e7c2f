package io.github.plannt

import com.google.gson.JsonElement
import com.google.gson.JsonParser
import org.junit.jupiter.api.Assertions.assertEquals
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

    /** Each case is a test; the number of a suite's is printed. */
    @TestFactory
    fun vectors(): List<DynamicContainer> = suites.map { (suite, answer) ->
        val document = JsonParser.parseString(File(folder, "$suite.json").readText())
        val cases = document.list("groups").flatMap { it.list("tests") }
        assertEquals(document.number("number_of_tests"), cases.size.toLong())
        println("vectors $suite: ${cases.size} of ${document.number("number_of_tests")}")
        DynamicContainer.dynamicContainer(
            suite,
            cases.map { case -> DynamicTest.dynamicTest(case.text("id")) { assertEquals(null, wrong(case, answer)) } },
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
