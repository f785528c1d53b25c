import HTTP
import HTTPServer
import Platform
import Synchronization
import Testing

/// A small server in the test's own process: the world outside, with a clock of its own.
final class Receiver: RequestHandler {
    struct Arrival: Sendable {
        var method: String
        var path: String
        var body: [UInt8]
        var authorization: String?
        /// When its head was complete, on this process's monotonic clock.
        var atNs: Int64
    }

    private let arrivals = Monitor<[Arrival]>([])
    private let heads = Mutex<[Int64]>([])
    private let server = Mutex<HTTPServer?>(nil)
    private let statuses = Mutex<[HTTPStatus]>([])
    let answerDelayMs: Int64

    init(answerDelayMs: Int64 = 0) { self.answerDelayMs = answerDelayMs }

    /// Where it listens.
    func start() throws -> SocketAddress {
        let server = HTTPServer(handler: self)
        self.server.withLock { $0 = server }
        return try server.start(at: try #require(SocketAddress(numeric: "127.0.0.1", port: 0)))
    }

    func stop() {
        guard let server = server.withLock({ $0 }) else { return }
        server.drain(graceMilliseconds: 200)
        server.waitUntilStopped()
    }

    /// What the next requests are answered with, before all others get 201.
    func answer(next: [HTTPStatus]) { statuses.withLock { $0 = next } }

    var all: [Arrival] { arrivals.read { $0 } }
    var count: Int { arrivals.read { $0.count } }

    func wait(milliseconds: Int64, until isSo: @escaping ([Arrival]) -> Bool) -> Bool {
        arrivals.wait(milliseconds: milliseconds) { isSo($0) ? true : nil } ?? false
    }

    func plan(for head: HTTPRequest) -> BodyPlan { .buffer(bytesMax: 1 << 20) }

    func handle(_ request: HTTPRequest) -> Reply {
        let arrival = Arrival(
            method: request.method.rawValue, path: request.target.raw, body: request.body,
            authorization: request.fields[.authorization], atNs: SystemClock().monotonicNanoseconds())
        arrivals.update { $0.append(arrival) }
        let status = statuses.withLock { $0.isEmpty ? HTTPStatus.created : $0.removeFirst() }
        let response = HTTPResponse(
            status, fields: [.contentType: "application/json"], body: Array(#"{"taken":true}"#.utf8))
        guard answerDelayMs > 0 else { return .now(response) }
        let deferred = DeferredReply()
        Thread.start("receiver") { [answerDelayMs] in
            pause(milliseconds: answerDelayMs)
            deferred.complete(response)
        }
        return .later(deferred)
    }

    func problem(_ failure: HTTPParseFailure) -> HTTPResponse { HTTPResponse(.badRequest) }
}
