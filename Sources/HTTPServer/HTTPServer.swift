package import Platform
import Synchronization

/// Serves HTTP/1.1 on a socket: parses, asks the ``RequestHandler``, answers.
package final class HTTPServer: Sendable {
    package struct Counters: Sendable, Hashable {
        /// Open now.
        package var connections: Int
        /// Handed to the handler since the start.
        package var requests: Int
    }

    private struct State {
        var loops: [ServerLoop] = []
        var threads: [Thread] = []
    }

    private let handler: any RequestHandler
    private let settings: HTTPServerSettings
    private let clock: any Clock
    private let shared = ServerCounters()
    private let state = Mutex(State())

    package init(
        handler: any RequestHandler, settings: HTTPServerSettings = HTTPServerSettings(),
        clock: any Clock = SystemClock()
    ) {
        (self.handler, self.settings, self.clock) = (handler, settings, clock)
    }

    /// Listens and serves; once. Port 0 lets the kernel choose: the result is where it really listens.
    package func start(at address: SocketAddress) throws -> SocketAddress {
        let socket = try TCP.listen(at: address)
        try start(on: socket)
        return TCP.localAddress(of: socket) ?? address
    }

    /// Serves on a socket that listens already; once.
    package func start(on socket: Descriptor) throws {
        let loops = try (0..<max(1, settings.loops)).map { _ in
            try ServerLoop(handler: handler, settings: settings, clock: clock, counters: shared)
        }
        try loops[0].listen(on: socket, sharingWith: loops)
        state.withLock { state in
            precondition(state.loops.isEmpty, "a server starts once")
            state.loops = loops
            state.threads = loops.enumerated().map { index, loop in Thread.start("http-\(index)") { loop.run() } }
        }
    }

    /// Stops: no new connections, idle ones close, requests in flight are answered with `Connection: close`. Deferred
    /// answers are cancelled at once, but may still be given; who has none when the grace ends gets 503, and streams
    /// are cut then. Returns at once; see ``waitUntilStopped()``.
    package func drain(graceMilliseconds: Int) {
        for loop in state.withLock({ $0.loops }) { loop.post(.drain(graceMilliseconds: graceMilliseconds)) }
    }

    /// Waits for the end of a ``drain(graceMilliseconds:)``.
    package func waitUntilStopped() {
        for thread in state.withLock({ $0.threads }) { thread.join() }
    }

    /// Runs `body` on the (first) loop's thread. Not at all when the server has stopped.
    package func onLoop(_ body: @escaping @Sendable () -> Void) {
        state.withLock { $0.loops.first }?.post(.run(body))
    }

    package var counters: Counters {
        Counters(
            connections: shared.connections.load(ordering: .relaxed), requests: shared.requests.load(ordering: .relaxed)
        )
    }
}
