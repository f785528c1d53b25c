package import HTTP

/// What a server may use, and how long it waits.
package struct HTTPServerSettings: Sendable {
    package var limits = HTTPLimits.standard
    /// Threads that serve connections. One is enough until it is measured that it is not.
    package var loops = 1
    /// Beyond it a connection gets 503 with `Retry-After`.
    package var connectionsMax = 12_000
    /// Connections beyond ``connectionsMax`` that still get an answer; those beyond are closed without one.
    package var refusalsMax = 256
    /// From the first byte of a head (or the opening of the connection) to its end.
    package var headMilliseconds = 10_000
    /// Between two pieces of a body.
    package var bodyIdleMilliseconds = 10_000
    /// Averaged over the whole body, once ``bodyIdleMilliseconds`` have passed.
    package var bodyBytesPerSecondMin = 1024
    /// Between two requests.
    package var keepAliveMilliseconds = 75_000
    /// How long a reader may take nothing while bytes wait for it.
    package var writeStallMilliseconds = 30_000
    /// How long the rest of a request is thrown away after a last answer, so that the client can read the answer.
    package var lingerMilliseconds = 2_000
    /// A source is asked for more only while less than this waits to be sent.
    package var outputBytesLow = 64 << 10
    /// What a source is asked for at once.
    package var pullBytes = 64 << 10

    package init() {}
}
