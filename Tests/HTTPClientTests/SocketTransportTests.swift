import HTTP
import HTTPClient
import HTTPServer
import Platform
import Synchronization
import Testing

private let loopback = SocketAddress(numeric: "127.0.0.1", port: 0)!

private struct Handler: RequestHandler {
    var reply: @Sendable (HTTPRequest) -> Reply
    func plan(for head: HTTPRequest) -> BodyPlan { .buffer(bytesMax: 4 << 20) }
    func handle(_ request: HTTPRequest) -> Reply { reply(request) }
    func problem(_ failure: HTTPParseFailure) -> HTTPResponse {
        HTTPResponse(failure.status, body: Array(failure.code.utf8))
    }
}

/// Gives its chunks, then waits or ends.
private final class Pieces: BodySource {
    private let chunks: Mutex<[BodyChunk]>
    init(_ chunks: [BodyChunk]) { self.chunks = Mutex(chunks) }
    func next(atMost bytes: Int) -> BodyChunk { chunks.withLock { $0.isEmpty ? .wait : $0.removeFirst() } }
    func attach(_ wake: @escaping @Sendable () -> Void) {}
    func detach() {}
}

private func withServer(
    _ reply: @escaping @Sendable (HTTPRequest) -> Reply,
    _ body: (HTTPServer, SocketTransport, SocketAddress) throws -> Void
) throws {
    let server = HTTPServer(handler: Handler(reply: reply))
    let address = try server.start(at: loopback)
    defer {
        server.drain(graceMilliseconds: 0)
        server.waitUntilStopped()
    }
    try body(server, SocketTransport(host: "127.0.0.1", port: address.port), address)
}

/// A listener that answers each connection with a script: what to send after a request was read, then close.
private func withScript(_ answers: [String], _ body: (SocketTransport, Monitor<Int>) throws -> Void) throws {
    let listener = try TCP.listen(at: loopback)
    let accepted = Monitor(0)
    let thread = Thread.start("script") {
        for answer in answers {
            guard (try? listener.waitReadable(milliseconds: 10_000)) == true,
                let socket = try? TCP.accept(from: listener)
            else { return }
            accepted.update { $0 += 1 }
            _ = try? socket.waitReadable(milliseconds: 10_000)
            _ = try? socket.read(upTo: 65_536)
            try? socket.writeAll(Array(answer.utf8))
        }
    }
    try body(SocketTransport(pinned: TCP.localAddress(of: listener)!, hostHeader: "script.test"), accepted)
    thread.join(milliseconds: 10_000)
}

@Suite("The socket transport")
struct SocketTransportTests {
    @Test("sends fields and bodies, reads answers, and uses its connection again")
    func exchange() throws {
        try withServer({ request in
            .now(
                HTTPResponse(
                    .created, fields: [.etag: request.fields[.host] ?? ""], body: request.target.raw.utf8 + request.body
                ))
        }) { server, transport, address throws in
            for index in 0..<5 {
                let response = try transport.answer(
                    HTTPClientRequest(.post, "/x?\(index)", fields: [.accept: "a"], body: .bytes([65, 66])))
                #expect(response.status == .created)
                #expect(String(decoding: response.body, as: UTF8.self) == "/x?\(index)AB")
                #expect(response.fields[.etag] == "127.0.0.1:\(address.port)")
            }
            #expect(try transport.answer(HTTPClientRequest(.head, "/x")).body.isEmpty)
            #expect(server.counters.connections == 1)
            #expect(server.counters.requests == 6)
        }
    }

    @Test("sends a file as the body")
    func file() throws {
        try withServer({ .now(HTTPResponse(.ok, body: $0.body)) }) { _, transport, _ throws in
            let response = try transport.answer(HTTPClientRequest(.put, "/f", body: .file(path: #filePath, length: 20)))
            #expect(String(decoding: response.body, as: UTF8.self) == "import HTTP\nimport H")
            #expect(throws: HTTPClientError.self) {
                try transport.answer(HTTPClientRequest(.put, "/f", body: .file(path: "/nonexistent", length: 20)))
            }
        }
    }

    @Test("reads chunked streams and server-sent events, and stops when told")
    func streaming() throws {
        let frames = (1...3).map { SSEWriter.frame(id: "\($0)", data: Array("{\"n\":\($0)}".utf8)) }
        try withServer({ _ in
            .stream(
                HTTPResponse(.ok, fields: [.contentType: "text/event-stream"]), Pieces(frames.map { .bytes($0) }),
                length: nil)
        }) { _, transport, _ throws in
            var parser = SSEParser()
            var events: [SSEEvent] = []
            var type: String?
            try transport.stream(HTTPClientRequest(.get, "/events"), onHead: { type = $0.fields[.contentType] }) {
                bytes in
                events += try parser.receive(bytes)
                return events.count < 3
            }
            #expect(type == "text/event-stream")
            #expect(events.map(\.data) == ["{\"n\":1}", "{\"n\":2}", "{\"n\":3}"])
        }
        try withServer({ _ in .stream(HTTPResponse(.ok), Pieces([.bytes([1]), .bytes([2]), .end]), length: nil) }) {
            server, transport, _ throws in
            #expect(try transport.answer(HTTPClientRequest(.get, "/")).body == [1, 2])
            #expect(try transport.answer(HTTPClientRequest(.get, "/")).body == [1, 2])
            #expect(server.counters.connections == 1)
        }
    }

    @Test("passes on what a reader throws")
    func readerThrows() throws {
        struct Stop: Error {}
        try withServer({ _ in .now(HTTPResponse(.ok, body: [1])) }) { _, transport, _ throws in
            #expect(throws: Stop.self) {
                try transport.stream(
                    HTTPClientRequest(.get, "/"), onHead: { _ in throw Stop() }, onBytes: { _ in true })
            }
            #expect(try transport.answer(HTTPClientRequest(.get, "/")).body == [1])
        }
    }

    @Test("gives up at the deadline, and when the server is silent too long")
    func timeouts() throws {
        try withServer({ _ in .later(DeferredReply()) }) { _, transport, _ throws in
            var request = HTTPClientRequest(.get, "/")
            request.deadlineMilliseconds = 50
            #expect(throws: HTTPClientError.timeout("the deadline of the request has passed")) {
                try transport.answer(request)
            }
            request.deadlineMilliseconds = 10_000
            request.idleMilliseconds = 50
            #expect(throws: HTTPClientError.timeout("the server was silent for 50 ms")) {
                try transport.answer(request)
            }
        }
    }

    @Test("is cancelled from another thread, and before it begins")
    func cancellation() throws {
        let cancellation = HTTPCancellation()
        let gone = Monitor(false)
        try withServer({ _ in
            let reply = DeferredReply()
            reply.onCancel { gone.update { $0 = true } }
            Thread.start("cancel") { cancellation.cancel() }
            return .later(reply)
        }) { server, transport, _ throws in
            var request = HTTPClientRequest(.get, "/")
            request.cancellation = cancellation
            #expect(throws: HTTPClientError.cancelled) { try transport.answer(request) }
            #expect(gone.wait(milliseconds: 5000) { $0 ? true : nil } == true)
            #expect(throws: HTTPClientError.cancelled) { try transport.answer(request) }
            #expect(server.counters.requests == 1)
        }
    }

    @Test("limits the body it collects")
    func tooLarge() throws {
        try withServer({ _ in .now(HTTPResponse(.ok, body: [UInt8](repeating: 0, count: 1000))) }) {
            _, transport, _ throws in
            var request = HTTPClientRequest(.get, "/")
            request.responseBytesMax = 999
            #expect(throws: HTTPClientError.tooLarge) { try transport.answer(request) }
            request.responseBytesMax = 1000
            #expect(try transport.answer(request).body.count == 1000)
        }
    }

    @Test("reads the answer of a server that does not want the whole body")
    func earlyAnswer() throws {
        try withServer({ _ in .now(HTTPResponse(.ok)) }) { _, transport, _ throws in
            let body = [UInt8](repeating: 0, count: 32 << 20)
            #expect(try transport.answer(HTTPClientRequest(.post, "/", body: .bytes(body))).status == .contentTooLarge)
        }
    }

    @Test("says that nothing was sent when nobody listens")
    func unreachable() throws {
        let address = try #require(TCP.localAddress(of: try TCP.listen(at: loopback)))
        let transport = SocketTransport(pinned: address, hostHeader: "a")
        #expect {
            try transport.answer(HTTPClientRequest(.get, "/"))
        } throws: { error in
            if case .unreachable = error as? HTTPClientError { true } else { false }
        }
    }

    @Test("sends an idempotent request again when a kept connection turns out dead, another never")
    func retries() throws {
        let kept = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        try withScript([kept, kept]) { transport, accepted throws in
            #expect(try transport.answer(HTTPClientRequest(.get, "/")).status == .ok)
            #expect(try transport.answer(HTTPClientRequest(.get, "/")).status == .ok)
            #expect(accepted.read { $0 } == 2)
        }
        try withScript(["", kept]) { transport, accepted throws in
            // On a fresh connection the outcome is unknown, whatever the method.
            #expect(throws: HTTPClientError.broken("The connection ended within the response.")) {
                try transport.answer(HTTPClientRequest(.get, "/"))
            }
            #expect(try transport.answer(HTTPClientRequest(.post, "/")).status == .ok)
            #expect(accepted.read { $0 } == 2)
        }
    }

    @Test(
        "does not take half an answer, or something that is no HTTP, for an answer",
        arguments: [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
            "SSH-2.0-OpenSSH\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", "HTTP/1.1 200",
        ])
    func badAnswers(_ answer: String) throws {
        try withScript([answer]) { transport, _ throws in
            #expect(throws: HTTPClientError.self) { try transport.answer(HTTPClientRequest(.get, "/")) }
        }
    }

    @Test("refuses what it cannot send", arguments: ["https://a", "ftp://a", "a", "http://u@a"])
    func refusedURLs(_ url: String) throws {
        #expect(throws: HTTPClientError.self) { try SocketTransport(url: url) }
        let transport = SocketTransport(pinned: loopback, hostHeader: "a")
        #expect(throws: HTTPClientError.self) { try transport.answer(HTTPClientRequest(.get, "no slash")) }
        #expect(throws: HTTPClientError.self) {
            try transport.answer(HTTPClientRequest(.get, "/", fields: [.accept: "a\r\nb: c"]))
        }
    }
}

extension HTTPTransport {
    /// `send`, in a form that the macros of Testing understand.
    fileprivate func answer(_ request: HTTPClientRequest) throws -> HTTPResponse { try send(request) }
}
