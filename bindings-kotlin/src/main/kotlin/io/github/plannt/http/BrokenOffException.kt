package io.github.plannt.http

import io.github.plannt.Outcome
import java.io.IOException

/**
 * The head came of a response that was paid for, and its body broke off. Its credential was presented: the same call again pays anew, unless
 * [outcome]'s credential has uses left.
 *
 * @property outcome which credential the request carried, and the receipt of the payment that bought it
 */
class BrokenOffException internal constructor(val outcome: Outcome, cause: IOException) :
    IOException("the response that was paid for broke off", cause)
