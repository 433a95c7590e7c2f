package io.github.plannt

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable
import org.junit.jupiter.api.io.TempDir
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.ValueSource
import java.io.File

@EnabledIfEnvironmentVariable(named = "PLANNT_BIN", matches = ".+")
class ExampleTest {
    @ParameterizedTest
    @ValueSource(strings = ["PayKt", "PayWithOkHttp", "OwnWalletKt"])
    fun `the examples pay`(main: String, @TempDir home: File) {
        val environment = mapOf("PLANNT_WALLET" to Service.payerUrl, "PLANNT_HOME" to home.path)
        val (said, status) = java(main, arguments = listOf("${Service.url}/v1/demo"), environment = environment)
        assertEquals(0, status, said)
        assertTrue(said.contains("costs 21000 msat"), said)
        assertTrue(said.contains("""200 {"result":"verified"}"""), said)
        assertTrue(said.contains("paid 21000 msat"), said)
        // The journal is the one of all languages.
        assertTrue(File(home, "client/journal.db").exists())
    }
}
