package io.github.plannt.http

import io.github.plannt.Bytes32
import io.github.plannt.MAX_DRAINED_BYTES
import io.github.plannt.blocking
import io.github.plannt.contentDigest
import io.github.plannt.requestError
import kotlinx.coroutines.future.await
import kotlinx.coroutines.runInterruptible
import java.io.ByteArrayInputStream
import java.io.IOException
import java.io.InputStream
import java.io.SequenceInputStream
import java.net.http.HttpRequest.BodyPublisher
import java.net.http.HttpRequest.BodyPublishers
import java.net.http.HttpResponse.BodyHandler
import java.net.http.HttpResponse.BodySubscriber
import java.net.http.HttpResponse.BodySubscribers
import java.net.http.HttpResponse.ResponseInfo
import java.nio.ByteBuffer
import java.security.MessageDigest
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage
import java.util.concurrent.Flow

/** What a request's body is known by; null where it can't be sent twice. */
internal suspend fun digest(body: BodyPublisher?): Bytes32? {
    val length = body?.contentLength() ?: 0
    if (body == null || length == 0L) return contentDigest(ByteArray(0))
    if (length < 0) return null
    val hashing = Hashing()
    runInterruptible(blocking) { body.subscribe(hashing) }
    return try {
        Bytes32(hashing.digest.await())
    } catch (error: IOException) {
        throw requestError("the body can't be read").apply { initCause(error) }
    }
}

private class Hashing : Flow.Subscriber<ByteBuffer> {
    private val sha256 = MessageDigest.getInstance("SHA-256")
    val digest = CompletableFuture<ByteArray>()

    override fun onSubscribe(subscription: Flow.Subscription) = subscription.request(Long.MAX_VALUE)

    override fun onNext(item: ByteBuffer) = sha256.update(item.duplicate())

    override fun onError(error: Throwable) {
        digest.completeExceptionally(error as? IOException ?: IOException(error))
    }

    override fun onComplete() {
        digest.complete(sha256.digest())
    }
}

/** A response's body before it is known whose it is. */
internal sealed interface Held<T> {
    /** The body for the caller's handler. */
    suspend fun release(handler: BodyHandler<T>): T

    /** Nobody wants it: a short one is read, so that its connection is good for more. */
    suspend fun discard()

    /** Nobody wants it, and nobody waits: its connection ends. */
    fun close()
}

/** A body that streams to the caller's own subscriber. */
internal class Passed<T>(private val body: CompletionStage<T>, private val stop: () -> Unit) : Held<T> {
    override suspend fun release(handler: BodyHandler<T>): T = body.await()

    override suspend fun discard() = Unit

    override fun close() = stop()
}

/** A body that waits. */
internal class Waiting<T>(private val info: ResponseInfo, private val stream: InputStream) : Held<T> {
    private var read = ByteArray(0)

    /** The body, or null where it is longer than [maxBytes] or breaks off; what was read is kept. */
    suspend fun text(maxBytes: Int): ByteArray? = try {
        val more = runInterruptible(blocking) { stream.readNBytes(maxOf(0, maxBytes + 1 - read.size)) }
        read += more
        read.takeIf { it.size <= maxBytes }
    } catch (_: IOException) {
        null
    }

    override suspend fun release(handler: BodyHandler<T>): T {
        val subscriber = handler.apply(info)
        val whole = BodyPublishers.ofInputStream { SequenceInputStream(ByteArrayInputStream(read), stream) }
        runInterruptible(blocking) { whole.subscribe(Lists(subscriber)) }
        return subscriber.body.await()
    }

    override suspend fun discard() {
        text(MAX_DRAINED_BYTES)
        close()
    }

    override fun close() = try {
        stream.close()
    } catch (_: IOException) {
        // Nobody wants the rest.
    }
}

/** Publishers of a request's body publish buffers, subscribers of a response's take lists of them. */
private class Lists(private val inner: Flow.Subscriber<List<ByteBuffer>>) : Flow.Subscriber<ByteBuffer> {
    override fun onSubscribe(subscription: Flow.Subscription) = inner.onSubscribe(subscription)

    override fun onNext(item: ByteBuffer) = inner.onNext(listOf(item))

    override fun onError(error: Throwable) = inner.onError(error)

    override fun onComplete() = inner.onComplete()
}

/** Lets a body wait whose response [waits] is true of, and the caller's handler have any other, as soon as its head is there. */
internal class Holding<T>(private val handler: BodyHandler<T>, private val waits: (ResponseInfo) -> Boolean) : BodyHandler<Held<T>> {
    override fun apply(info: ResponseInfo): BodySubscriber<Held<T>> {
        if (waits(info)) return BodySubscribers.mapping(BodySubscribers.ofInputStream()) { Waiting(info, it) }
        return Passing(handler.apply(info))
    }
}

private class Passing<T>(private val inner: BodySubscriber<T>) : BodySubscriber<Held<T>>, Flow.Subscriber<List<ByteBuffer>> by inner {
    @Volatile
    private var subscription: Flow.Subscription? = null

    override fun onSubscribe(subscription: Flow.Subscription) {
        this.subscription = subscription
        inner.onSubscribe(subscription)
    }

    override fun getBody(): CompletionStage<Held<T>> = CompletableFuture.completedFuture(Passed(inner.body) { subscription?.cancel() })
}
