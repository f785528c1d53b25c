package import HTTP

/// What the server asks for every request. All of it is called on the loop thread, so none of it may block.
package protocol RequestHandler: Sendable {
    /// What to do with the body: asked once the head is complete, before `100 Continue` and before any body byte.
    /// The head comes with an empty body.
    func plan(for head: HTTPRequest) -> BodyPlan
    /// Answers a request whose body was buffered.
    func handle(_ request: HTTPRequest) -> Reply
    /// Words an error of the protocol. The connection closes after it.
    func problem(_ failure: HTTPParseFailure) -> HTTPResponse
}

/// What to do with a body.
package enum BodyPlan: Sendable {
    /// Collect it, then ``RequestHandler/handle(_:)``. More than `bytesMax` is answered with 413 before it is read.
    case buffer(bytesMax: Int)
    /// Hand it on piece by piece.
    case sink(any BodySink, bytesMax: Int)
    /// Answer at once; a connection with a body under way closes after the answer.
    case refuse(HTTPResponse)
}

/// How a request is answered.
package enum Reply: Sendable {
    case now(HTTPResponse)
    case later(DeferredReply)
    /// The head (its body is ignored), then what the source gives. Without a length the body is chunked, or ends with
    /// the connection for an HTTP/1.0 client. Every source is detached exactly once, also when nothing is pulled.
    case stream(HTTPResponse, any BodySource, length: Int64?)
}

/// Takes a body as it arrives, on the loop thread. Exactly one of `finish` and `abort` is the last call,
/// except after a refusal, after which nothing is called.
package protocol BodySink: AnyObject, Sendable {
    /// Non-nil refuses: the connection closes after that answer.
    func write(_ bytes: ArraySlice<UInt8>) -> HTTPResponse?
    func finish() -> Reply
    /// The body will not be complete: the client is gone, too slow, too long or malformed.
    func abort()
}

/// Gives a body as the socket takes it: it is pulled only while less than the low watermark waits to be sent,
/// so a slow reader costs no memory.
package protocol BodySource: AnyObject, Sendable {
    /// The next bytes, on the loop thread. After `.wait` it is asked again once `wake` was called.
    func next(atMost bytes: Int) -> BodyChunk
    /// Hands over how to say that there is more; `wake` may be called from any thread, at any time, also late.
    func attach(_ wake: @escaping @Sendable () -> Void)
    /// The answer is complete or the connection is gone: nothing is asked any more. On the loop thread, once.
    func detach()
}

package enum BodyChunk: Sendable {
    case bytes([UInt8])
    /// Nothing yet.
    case wait
    /// The body is complete.
    case end
    /// The body cannot be completed: the connection closes so that the client notices.
    case abort
}
