import HTTP
import HTTPServer
import Platform
import Synchronization
import Testing

/// Answers from a closure and remembers what it was asked.
final class RecordingHandler: RequestHandler {
    private let handled = Mutex<[String]>([])
    private let plans: @Sendable (HTTPRequest) -> BodyPlan
    private let replies: @Sendable (HTTPRequest) -> Reply

    init(
        reply: @escaping @Sendable (HTTPRequest) -> Reply = { .now(echo($0)) },
        plan: @escaping @Sendable (HTTPRequest) -> BodyPlan = { _ in .buffer(bytesMax: 1 << 20) }
    ) {
        (plans, replies) = (plan, reply)
    }

    /// Method and path of each request that was executed.
    var requests: [String] { handled.withLock { $0 } }

    func plan(for head: HTTPRequest) -> BodyPlan { plans(head) }

    func handle(_ request: HTTPRequest) -> Reply {
        handled.withLock { $0.append("\(request.method) \(request.target.path)") }
        return replies(request)
    }

    func problem(_ failure: HTTPParseFailure) -> HTTPResponse {
        HTTPResponse(failure.status, fields: [.contentType: "text/plain"], body: Array(failure.code.utf8))
    }
}

func echo(_ request: HTTPRequest) -> HTTPResponse {
    HTTPResponse(
        .ok, fields: [.contentType: "text/plain"],
        body: Array("\(request.method) \(request.target.path) ".utf8) + request.body)
}

/// Time that stands until it is moved.
final class ManualClock: Clock {
    private let milliseconds = Mutex<Int64>(1_000_000)
    func advance(_ by: Int64) { milliseconds.withLock { $0 += by } }
    func monotonicNanoseconds() -> Int64 { milliseconds.withLock { $0 * 1_000_000 } }
    func wallMilliseconds() -> Int64 { 784_111_777_000 }
}

/// A source that gives what it is told.
final class ScriptedSource: BodySource {
    private struct State {
        var chunks: [BodyChunk]
        var wake: (@Sendable () -> Void)?
        var asked: [Int] = []
    }

    private let state: Mutex<State>
    let detached = Monitor(0)

    init(_ chunks: [BodyChunk] = []) { state = Mutex(State(chunks: chunks)) }

    var asked: [Int] { state.withLock { $0.asked } }

    func push(_ chunks: BodyChunk...) {
        let wake = state.withLock { state in
            state.chunks += chunks
            return state.wake
        }
        wake?()
    }

    func next(atMost bytes: Int) -> BodyChunk {
        state.withLock { state in
            state.asked.append(bytes)
            return state.chunks.isEmpty ? .wait : state.chunks.removeFirst()
        }
    }

    func attach(_ wake: @escaping @Sendable () -> Void) { state.withLock { $0.wake = wake } }
    func detach() { detached.update { $0 += 1 } }
}

/// Never runs dry.
final class EndlessSource: BodySource {
    let given = Monitor(0)
    let detached = Monitor(0)
    func next(atMost bytes: Int) -> BodyChunk {
        given.update { $0 += bytes }
        return .bytes([UInt8](repeating: 120, count: bytes))
    }
    func attach(_ wake: @escaping @Sendable () -> Void) {}
    func detach() { detached.update { $0 += 1 } }
}

/// Collects a body; refuses beyond a number of bytes.
final class CollectingSink: BodySink {
    let log = Monitor<[String]>([])
    private let refusesAfter: Int
    private let bytes = Mutex<[UInt8]>([])
    init(refusesAfter: Int = .max) { self.refusesAfter = refusesAfter }

    func write(_ more: ArraySlice<UInt8>) -> HTTPResponse? {
        let count = bytes.withLock { bytes in
            bytes += more
            return bytes.count
        }
        guard count > refusesAfter else { return nil }
        log.update { $0.append("refused") }
        return HTTPResponse(.insufficientStorage)
    }

    func finish() -> Reply {
        let count = bytes.withLock { $0.count }
        log.update { $0.append("finished \(count)") }
        return .now(HTTPResponse(.created, body: Array("\(count)".utf8)))
    }

    func abort() { log.update { $0.append("aborted") } }
}

/// Reads all responses in what a server sent, until it closed.
func responses(in bytes: [UInt8], to methods: [HTTPMethod] = []) throws -> [HTTPResponse] {
    var parser = HTTPResponseParser()
    var found: [HTTPResponse] = []
    var methods = methods[...]
    parser.expectResponse(to: methods.popFirst() ?? .get)
    parser.receive(bytes)
    func take(_ event: HTTPResponseParser.Event) {
        switch event {
        case .head(let response, _): found.append(response)
        case .body(let bytes): found[found.count - 1].body += bytes
        case .end: parser.expectResponse(to: methods.popFirst() ?? .get)
        }
    }
    while let event = try parser.next() { take(event) }
    if found.isEmpty || parser.bufferedBytes > 0 { _ = try parser.end() }
    return found
}

/// A connection with a handler around it, and no socket: what ``HTTPServer`` does, in a page.
struct Wire {
    var connection: HTTPServerConnection
    let handler: any RequestHandler
    var now: HTTPMoment
    var sent: [UInt8] = []
    var isClosed = false
    var isShutDown = false
    /// Whether the client reads.
    var takesOutput = true
    var log: [String] = []
    var sink: (any BodySink)?
    var source: (any BodySource)?
    var deferred: DeferredReply?

    init(
        _ handler: any RequestHandler, settings: HTTPServerSettings = HTTPServerSettings(),
        refusal: HTTPParseFailure? = nil
    ) {
        now = HTTPMoment(milliseconds: 5_000_000, date: Array("Sun, 06 Nov 1994 08:49:37 GMT".utf8))
        connection = HTTPServerConnection(settings: settings, at: now, refusal: refusal)
        self.handler = handler
        serve()
    }

    var text: String { String(decoding: sent, as: UTF8.self) }

    mutating func receive(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { connection.received($0, at: now) }
        serve()
    }

    mutating func receive(_ text: String) { receive(Array(text.utf8)) }

    mutating func receiveEnd() {
        connection.receivedEnd(at: now)
        serve()
    }

    mutating func pass(_ milliseconds: Int64) {
        now.milliseconds += milliseconds
        connection.tick(at: now)
        serve()
    }

    mutating func take(_ reply: Reply) {
        switch reply {
        case .now(let response): connection.answer(response, at: now)
        case .later(let deferred): self.deferred = deferred
        case .stream(let head, let source, let length):
            self.source = source
            source.attach {}
            connection.startStream(head, length: length, at: now)
        }
    }

    mutating func serve() {
        repeat {
            while !isClosed, let action = connection.next(at: now) { perform(action) }
        } while flush()
    }

    mutating func flush() -> Bool {
        guard takesOutput, !isClosed, connection.hasOutput else { return false }
        let bytes = Array(connection.pendingOutput)
        sent += bytes
        connection.sent(bytes.count, at: now)
        return true
    }

    private mutating func perform(_ action: HTTPServerConnection.Action) {
        switch action {
        case .plan(let head):
            let plan = handler.plan(for: head)
            if case .sink(let sink, _) = plan { self.sink = sink }
            connection.plan(plan, at: now)
        case .handle(let request): take(handler.handle(request))
        case .sinkBytes(let bytes): if let refusal = sink?.write(bytes) { connection.refuseBody(refusal, at: now) }
        case .sinkEnd: if let sink { take(sink.finish()) }
        case .sinkAbort: sink?.abort()
        case .problem(let failure): connection.answer(handler.problem(failure), at: now)
        case .pull(let bytes): connection.streamed(source?.next(atMost: bytes) ?? .abort, at: now)
        case .cancel: log.append("cancel")
        case .release:
            log.append("release")
            source?.detach()
        case .shutdownSending: isShutDown = true
        case .close: isClosed = true
        }
    }
}
