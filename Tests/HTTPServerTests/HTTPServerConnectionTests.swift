import HTTP
import HTTPServer
import Platform
import Testing

private func get(_ path: String, _ fields: String = "") -> String { "GET \(path) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n" }

private let head = "x-content-type-options: nosniff\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

@Suite("A server connection")
struct HTTPServerConnectionTests {
    @Test("answers with exact bytes and keeps the connection")
    func exactBytes() {
        var wire = Wire(RecordingHandler())
        wire.receive(get("/x"))
        #expect(wire.text == "HTTP/1.1 200 OK\r\n\(head)content-length: 7\r\ncontent-type: text/plain\r\n\r\nGET /x ")
        #expect(!wire.isShutDown && !wire.isClosed)
    }

    @Test("writes framing fields itself, whatever the handler says")
    func ownFraming() {
        var wire = Wire(
            RecordingHandler { _ in
                .now(
                    HTTPResponse(
                        .ok, fields: [.contentLength: "99", .connection: "x", .transferEncoding: "chunked", .etag: "e"])
                )
            })
        wire.receive(get("/x"))
        #expect(wire.text == "HTTP/1.1 200 OK\r\n\(head)content-length: 0\r\netag: e\r\n\r\n")
    }

    @Test("sends no body for HEAD, 204 and 304")
    func noBodies() throws {
        var wire = Wire(
            RecordingHandler { request in
                .now(
                    HTTPResponse(
                        request.target.path == "/204" ? .noContent : request.target.path == "/304" ? .notModified : .ok,
                        body: [65, 66]))
            })
        wire.receive("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n" + get("/204") + get("/304") + get("/200"))
        let answers = try responses(in: wire.sent, to: [.head])
        #expect(answers.map(\.status.code) == [200, 204, 304, 200])
        #expect(answers.map { $0.fields[.contentLength] } == ["2", nil, nil, "2"])
        #expect(answers.map(\.body.count) == [0, 0, 0, 2])
    }

    @Test("sends 500 in place of a response that would split")
    func splitting() throws {
        let handler = RecordingHandler { _ in .now(HTTPResponse(.ok, fields: [.location: "a\r\nSet-Cookie: x"])) }
        var wire = Wire(handler)
        wire.receive(get("/x") + get("/y"))
        let answers = try responses(in: wire.sent)
        #expect(answers.map(\.status.code) == [500])
        #expect(answers[0].fields[.setCookie] == nil)
        #expect(handler.requests == ["GET /x"])
        #expect(wire.isShutDown)
    }

    @Test("serves pipelined requests one at a time, the next only when the answer is sent")
    func pipelining() throws {
        let handler = RecordingHandler()
        var wire = Wire(handler)
        wire.takesOutput = false
        wire.receive(get("/1") + get("/2") + get("/3"))
        #expect(handler.requests == ["GET /1"])
        wire.takesOutput = true
        wire.serve()
        #expect(handler.requests == ["GET /1", "GET /2", "GET /3"])
        #expect(try responses(in: wire.sent).count == 3)
    }

    @Test("stops reading while a client sends requests faster than it reads answers")
    func pipelineBound() {
        var wire = Wire(RecordingHandler())
        wire.takesOutput = false
        for _ in 0..<1000 where wire.connection.wantsToRead { wire.receive(get("/x")) }
        #expect(!wire.connection.wantsToRead)
    }

    @Test("honours Connection: close, and executes nothing behind it")
    func close() {
        let handler = RecordingHandler()
        var wire = Wire(handler)
        wire.receive(get("/1", "Connection: close\r\n") + get("/2"))
        #expect(handler.requests == ["GET /1"])
        #expect(wire.text.contains("connection: close\r\n"))
        #expect(wire.isShutDown && !wire.isClosed)
        wire.receiveEnd()
        #expect(wire.isClosed)
    }

    @Test("speaks HTTP/1.0")
    func version10() {
        var wire = Wire(RecordingHandler())
        wire.receive("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        #expect(wire.text.contains("connection: keep-alive\r\n") && !wire.isShutDown)
        wire.receive("GET /2 HTTP/1.0\r\n\r\n")
        #expect(wire.isShutDown)
        var stream = Wire(
            RecordingHandler { _ in
                .stream(HTTPResponse(.ok), ScriptedSource([.bytes([65]), .bytes([66]), .end]), length: nil)
            })
        stream.receive("GET /2 HTTP/1.0\r\n\r\n")
        #expect(stream.text == "HTTP/1.1 200 OK\r\n\(head)connection: close\r\n\r\nAB")
    }

    @Test("asks for the body with 100 Continue only when it wants it and it is not there")
    func expectContinue() {
        let request = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\n"
        var wire = Wire(RecordingHandler())
        wire.receive(request)
        #expect(wire.text == "HTTP/1.1 100 Continue\r\n\r\n")
        wire.receive("hi")
        #expect(wire.text.hasSuffix("POST /x hi"))
        wire = Wire(RecordingHandler())
        wire.receive(request + "hi")
        #expect(!wire.text.contains("100 Continue"))
        wire = Wire(RecordingHandler(plan: { _ in .refuse(HTTPResponse(.unauthorized)) }))
        wire.receive(request)
        #expect(wire.text.hasPrefix("HTTP/1.1 401 Unauthorized\r\n"))
        #expect(wire.isShutDown)
        wire = Wire(RecordingHandler(plan: { _ in .buffer(bytesMax: 1) }))
        wire.receive(request)
        #expect(wire.text.hasPrefix("HTTP/1.1 413 "))
    }

    @Test("keeps the connection after a refusal when there was no body")
    func refusal() {
        var wire = Wire(RecordingHandler(plan: { _ in .refuse(HTTPResponse(.unauthorized)) }))
        wire.receive(get("/1"))
        #expect(!wire.isShutDown)
        wire.receive(get("/2"))
        #expect(wire.text.components(of: "401 Unauthorized") == 2)
    }

    @Test("hands a body to its sink, aborts it when the body fails, and closes when it refuses")
    func sinks() {
        let post = "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        func run(_ sink: CollectingSink, _ body: String, end: Bool = false) -> Wire {
            var wire = Wire(RecordingHandler(plan: { _ in .sink(sink, bytesMax: 100) }))
            wire.receive(post + body)
            if end { wire.receiveEnd() }
            return wire
        }
        var sink = CollectingSink()
        #expect(run(sink, "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n").text.hasSuffix("\r\n\r\n5"))
        #expect(sink.log.read { $0 } == ["finished 5"])
        sink = CollectingSink()
        #expect(run(sink, "3\r\nabcd\r\n").text.hasPrefix("HTTP/1.1 400 "))
        #expect(sink.log.read { $0 } == ["aborted"])
        sink = CollectingSink()
        #expect(run(sink, "3\r\nabc\r\n", end: true).text.hasPrefix("HTTP/1.1 400 "))
        #expect(sink.log.read { $0 } == ["aborted"])
        sink = CollectingSink()
        #expect(run(sink, "32\r\n" + String(repeating: "a", count: 50) + "\r\n33\r\n").text.hasPrefix("HTTP/1.1 413 "))
        #expect(sink.log.read { $0 } == ["aborted"])
        sink = CollectingSink(refusesAfter: 2)
        let wire = run(sink, "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n" + get("/canary"))
        #expect(wire.text.hasPrefix("HTTP/1.1 507 ") && wire.isShutDown)
        #expect(sink.log.read { $0 } == ["refused"])
    }

    @Test("streams with a length, in chunks, and pulls only while the client reads")
    func streams() throws {
        let source = ScriptedSource([.bytes([65]), .wait])
        var wire = Wire(RecordingHandler { _ in .stream(HTTPResponse(.ok), source, length: nil) })
        wire.receive(get("/s"))
        #expect(wire.text.hasSuffix("transfer-encoding: chunked\r\n\r\n1\r\nA\r\n"))
        source.push(.bytes([UInt8](repeating: 66, count: 17)), .end)
        wire.connection.streamHasMore(at: wire.now)
        wire.serve()
        #expect(try responses(in: wire.sent)[0].body.count == 18)
        #expect(wire.log == ["release"])
        #expect(source.detached.read { $0 } == 1)

        var known = Wire(
            RecordingHandler { _ in .stream(HTTPResponse(.ok), ScriptedSource([.bytes([65, 66])]), length: 2) })
        known.receive(get("/s") + get("/s"))
        #expect(try responses(in: known.sent).map(\.body) == [[65, 66], [65, 66]])

        let endless = EndlessSource()
        var slow = Wire(RecordingHandler { _ in .stream(HTTPResponse(.ok), endless, length: nil) })
        slow.takesOutput = false
        slow.receive(get("/s"))
        slow.serve()
        #expect(endless.given.read { $0 } <= 64 << 10)
        slow.pass(29_999)
        #expect(!slow.isClosed)
        slow.pass(1)
        #expect(slow.isClosed)
        #expect(endless.detached.read { $0 } == 1)
    }

    @Test(
        "cuts the connection when a source fails or gives another length than it said",
        arguments: [
            [.abort], [.bytes([1]), .end], [.bytes([1, 2, 3])],
        ] as [[BodyChunk]])
    func badSources(_ chunks: [BodyChunk]) {
        let source = ScriptedSource(chunks)
        var wire = Wire(RecordingHandler { _ in .stream(HTTPResponse(.ok), source, length: 2) })
        wire.receive(get("/s"))
        #expect(wire.isClosed)
        #expect(source.detached.read { $0 } == 1)
    }

    @Test("answers 408 to a head that takes 10 s, but waits 75 s for the next request")
    func headTimeout() {
        var wire = Wire(RecordingHandler())
        wire.receive("GET / HT")
        wire.pass(9_999)
        #expect(wire.sent.isEmpty)
        wire.receive("TP/1.1\r\n")
        wire.pass(1)
        #expect(wire.text.hasPrefix("HTTP/1.1 408 ") && wire.isShutDown)
        wire.pass(2_000)
        #expect(wire.isClosed)

        wire = Wire(RecordingHandler())
        wire.receive(get("/1"))
        wire.pass(74_999)
        #expect(!wire.isClosed)
        wire.pass(1)
        #expect(wire.isClosed && !wire.text.contains("408"))

        wire = Wire(RecordingHandler())
        wire.pass(10_000)
        #expect(wire.isClosed && wire.sent.isEmpty)
    }

    @Test("answers 408 to a body that is silent for 10 s or slower than 1 KiB/s")
    func bodyTimeout() {
        let post = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"
        var wire = Wire(RecordingHandler())
        wire.receive(post)
        wire.pass(9_999)
        #expect(wire.sent.isEmpty)
        wire.pass(1)
        #expect(wire.text.hasPrefix("HTTP/1.1 408 "))

        wire = Wire(RecordingHandler())
        wire.receive(post)
        for _ in 0..<9 {
            wire.pass(1000)
            wire.receive([UInt8](repeating: 65, count: 900))
        }
        #expect(wire.sent.isEmpty)
        wire.pass(1000)
        #expect(wire.text.hasPrefix("HTTP/1.1 408 "))

        wire = Wire(RecordingHandler())
        wire.receive(post)
        for _ in 0..<97 {
            wire.receive([UInt8](repeating: 65, count: 1024))
            wire.pass(999)
        }
        #expect(wire.sent.isEmpty)
    }

    @Test("tells a deferred answer when the client ends, and still delivers it")
    func halfClose() throws {
        let deferred = DeferredReply()
        var wire = Wire(RecordingHandler { _ in .later(deferred) })
        wire.receive(get("/x"))
        wire.receiveEnd()
        #expect(wire.log == ["cancel"])
        wire.connection.answer(HTTPResponse(.ok), at: wire.now)
        wire.serve()
        #expect(try responses(in: wire.sent).map(\.status.code) == [200])
        #expect(wire.isClosed)
    }

    @Test("drops a waiting stream when the client ends")
    func streamEnd() {
        let source = ScriptedSource()
        var wire = Wire(RecordingHandler { _ in .stream(HTTPResponse(.ok), source, length: nil) })
        wire.receive(get("/x"))
        wire.receiveEnd()
        #expect(wire.isClosed)
        #expect(source.detached.read { $0 } == 1)
    }

    @Test("drains: idle closes, in flight answers with close, late gets 503, a stream is cut")
    func drain() throws {
        var idle = Wire(RecordingHandler())
        idle.receive(get("/1"))
        idle.connection.drain()
        idle.serve()
        #expect(idle.isClosed)

        var busy = Wire(RecordingHandler { _ in .later(DeferredReply()) })
        busy.receive(get("/1") + get("/2"))
        busy.connection.drain()
        busy.serve()
        #expect(busy.log == ["cancel"])
        var late = busy
        busy.connection.answer(HTTPResponse(.ok), at: busy.now)
        busy.serve()
        #expect(busy.text.contains("connection: close") && busy.isShutDown)
        late.connection.drainExpired()
        late.serve()
        #expect(late.text.hasPrefix("HTTP/1.1 503 ") && late.isShutDown)

        var stream = Wire(RecordingHandler { _ in .stream(HTTPResponse(.ok), ScriptedSource(), length: nil) })
        stream.receive(get("/1"))
        stream.connection.drain()
        stream.serve()
        #expect(!stream.isClosed)
        stream.connection.drainExpired()
        stream.serve()
        #expect(stream.isClosed)
    }

    @Test("refuses when there is no room, before the client says anything")
    func noRoom() {
        let wire = Wire(RecordingHandler(), refusal: .overloaded)
        #expect(wire.text.hasPrefix("HTTP/1.1 503 ") && wire.isShutDown)
    }
}

extension String {
    fileprivate func components(of text: String) -> Int {
        utf8.indices.count { self[$0...].utf8.starts(with: text.utf8) }
    }
}
