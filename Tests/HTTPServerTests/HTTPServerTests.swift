import HTTP
import HTTPServer
import Platform
import Synchronization
import Testing

private let loopback = SocketAddress(numeric: "127.0.0.1", port: 0)!

private func get(_ path: String, _ fields: String = "") -> String { "GET \(path) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n" }

/// Starts a server, lets the test talk to it, stops it.
private func withServer(
    _ handler: RecordingHandler, settings: HTTPServerSettings = HTTPServerSettings(),
    _ body: (HTTPServer, SocketAddress) throws -> Void
) throws {
    let server = HTTPServer(handler: handler, settings: settings)
    let address = try server.start(at: loopback)
    defer {
        server.drain(graceMilliseconds: 0)
        server.waitUntilStopped()
    }
    try body(server, address)
}

@Suite("A server on a socket")
struct HTTPServerTests {
    @Test("keeps connections, serves pipelined requests in order, and HEAD without a body")
    func keepAlive() throws {
        try withServer(RecordingHandler()) { server, address in
            let peer = try Peer(address)
            for index in 0..<3 {
                peer.send(get("/\(index)"))
                #expect(String(decoding: try peer.response().body, as: UTF8.self) == "GET /\(index) ")
            }
            let texts = (0..<50).map { get("/p\($0)") }
            peer.send(texts.joined())
            for index in 0..<50 {
                #expect(String(decoding: try peer.response().body, as: UTF8.self) == "GET /p\(index) ")
            }
            peer.send("HEAD /h HTTP/1.1\r\nHost: a\r\n\r\n" + get("/last", "Connection: close\r\n"))
            #expect(try peer.response(to: .head).fields[.contentLength] == "8")
            #expect(try peer.response().fields[.connection] == "close")
            #expect(try peer.read() == nil)
            #expect(server.counters.requests == 55)
        }
    }

    @Test("takes a chunked body, and sends 100 Continue before it")
    func bodies() throws {
        try withServer(RecordingHandler()) { _, address in
            let peer = try Peer(address)
            peer.send("POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n")
            #expect(try peer.read() == Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))
            peer.send("5\r\nhello\r\n0\r\n\r\n")
            #expect(String(decoding: try peer.response().body, as: UTF8.self) == "POST /c hello")
            let big = String(repeating: "x", count: 1 << 20)
            peer.send("POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: \(1 << 20)\r\n\r\n" + big)
            #expect(try peer.response().body.count == 8 + (1 << 20))
        }
    }

    @Test("answers 413 before the body is read, and the client gets to read it")
    func tooLarge() throws {
        try withServer(RecordingHandler(plan: { _ in .buffer(bytesMax: 10) })) { _, address in
            let peer = try Peer(address)
            peer.send("POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
            #expect(try peer.response().status == .contentTooLarge)
            peer.send(String(repeating: "x", count: 100_000) + get("/canary"))
            #expect(try peer.read() == nil)
        }
    }

    @Test("delivers deferred answers from other threads, and tells when the client went away")
    func deferred() throws {
        let replies = Monitor<[DeferredReply]>([])
        let cancelled = Monitor(0)
        let handler = RecordingHandler { _ in
            let reply = DeferredReply()
            reply.onCancel { cancelled.update { $0 += 1 } }
            replies.update { $0.append(reply) }
            return .later(reply)
        }
        try withServer(handler) { server, address in
            let peer = try Peer(address)
            for _ in 0..<20 {
                peer.send(get("/x"))
                let reply = try #require(replies.wait(milliseconds: 5000) { $0.popLast() })
                reply.complete(HTTPResponse(.accepted))
                reply.complete(HTTPResponse(.conflict))
                #expect(try peer.response().status == .accepted)
            }
            do {
                let leaver = try Peer(address)
                leaver.send(get("/y"))
                _ = replies.wait(milliseconds: 5000) { $0.isEmpty ? nil : true }
            }
            #expect(cancelled.wait(milliseconds: 5000) { $0 == 1 ? true : nil } == true)
            replies.update { $0.popLast() }?.complete(HTTPResponse(.ok))
        }
    }

    @Test("answers on the loop when the reply was there before the handler returned")
    func early() throws {
        let handler = RecordingHandler { _ in
            let reply = DeferredReply()
            reply.complete(HTTPResponse(.created))
            return .later(reply)
        }
        try withServer(handler) { _, address in
            let peer = try Peer(address)
            peer.send(get("/x") + get("/y"))
            #expect(try peer.response().status == .created)
            #expect(try peer.response().status == .created)
        }
    }

    @Test("streams what another thread pushes, and detaches when the client leaves")
    func streams() throws {
        let source = ScriptedSource()
        try withServer(RecordingHandler { _ in .stream(HTTPResponse(.ok), source, length: nil) }) { _, address in
            do {
                let peer = try Peer(address)
                peer.send(get("/s"))
                var text = ""
                while !text.hasSuffix("\r\n\r\n") {
                    text += String(decoding: try #require(try peer.read()), as: UTF8.self)
                }
                for index in 0..<10 {
                    source.push(.bytes(Array("event \(index)".utf8)))
                    #expect(String(decoding: try #require(try peer.read()), as: UTF8.self) == "7\r\nevent \(index)\r\n")
                }
            }
            #expect(source.detached.wait(milliseconds: 5000) { $0 == 1 ? true : nil } == true)
        }
    }

    @Test("never buffers for a reader that does not read, and drops it")
    func slowReader() throws {
        var settings = HTTPServerSettings()
        settings.writeStallMilliseconds = 200
        let source = EndlessSource()
        try withServer(RecordingHandler { _ in .stream(HTTPResponse(.ok), source, length: nil) }, settings: settings) {
            _, address in
            let peer = try Peer(address)
            peer.send(get("/s"))
            #expect(source.detached.wait(milliseconds: 10_000) { $0 == 1 ? true : nil } == true)
            // What was pulled fills the buffers of two sockets, and one watermark of ours.
            #expect(source.given.read { $0 } < 16 << 20)
            withExtendedLifetime(peer) {}
        }
    }

    @Test("gives a fast reader all of a long stream")
    func longStream() throws {
        let pieces = (0..<200).map { BodyChunk.bytes([UInt8](repeating: UInt8($0), count: 64 << 10)) }
        try withServer(
            RecordingHandler { _ in .stream(HTTPResponse(.ok), ScriptedSource(pieces + [.end]), length: nil) }
        ) { _, address in
            let peer = try Peer(address)
            peer.send(get("/s"))
            let body = try peer.response().body
            #expect(body.count == 200 * 64 << 10)
            #expect(body[(64 << 10) * 7] == 7)
        }
    }

    @Test("refuses connections beyond its limit with 503, and serves again when there is room")
    func connectionLimit() throws {
        var settings = HTTPServerSettings()
        settings.connectionsMax = 1
        try withServer(RecordingHandler(), settings: settings) { server, address in
            do {
                let first = try Peer(address)
                first.send(get("/1"))
                #expect(try first.response().status == .ok)
                let second = try Peer(address)
                #expect(try responses(in: second.readToEnd()).map(\.status.code) == [503])
            }
            var status = HTTPStatus.serviceUnavailable
            while status == .serviceUnavailable {
                let third = try Peer(address)
                third.send(get("/3"))
                status = try third.response().status
            }
            #expect(status == .ok)
        }
    }

    @Test("drains: answers what is in flight, closes the idle, cuts streams when the grace ends")
    func drain() throws {
        let replies = Monitor<[DeferredReply]>([])
        let source = ScriptedSource()
        let handler = RecordingHandler { request in
            if request.target.path == "/stream" { return .stream(HTTPResponse(.ok), source, length: nil) }
            let reply = DeferredReply()
            replies.update { $0.append(reply) }
            return .later(reply)
        }
        let server = HTTPServer(handler: handler)
        let address = try server.start(at: loopback)
        let (idle, busy, late, stream) = (try Peer(address), try Peer(address), try Peer(address), try Peer(address))
        busy.send(get("/busy"))
        let reply = try #require(replies.wait(milliseconds: 5000) { $0.popLast() })
        let told = Monitor(false)
        reply.onCancel { told.update { $0 = true } }
        late.send(get("/late"))
        _ = replies.wait(milliseconds: 5000) { $0.popLast() }
        stream.send(get("/stream"))
        _ = try #require(try stream.read())
        server.drain(graceMilliseconds: 300)
        #expect(try idle.read() == nil)
        #expect(told.wait(milliseconds: 5000) { $0 ? true : nil } == true)
        reply.complete(HTTPResponse(.ok))
        let answer = try busy.response()
        #expect(answer.status == .ok && answer.fields[.connection] == "close")
        #expect(try late.response().status == .serviceUnavailable)
        #expect(try stream.readToEnd().suffix(5) != Array("0\r\n\r\n".utf8))
        server.waitUntilStopped()
        #expect(throws: SystemError.self) { try Peer(address) }
    }

    @Test("serves with several loops")
    func loops() throws {
        var settings = HTTPServerSettings()
        settings.loops = 3
        try withServer(RecordingHandler(), settings: settings) { server, address in
            let peers = try (0..<9).map { _ in try Peer(address) }
            for peer in peers { peer.send(get("/x")) }
            for peer in peers { #expect(try peer.response().status == .ok) }
            #expect(server.counters.requests == 9)
        }
    }

    @Test("runs work on its loop")
    func onLoop() throws {
        try withServer(RecordingHandler()) { server, _ in
            let ran = Monitor(false)
            server.onLoop { ran.update { $0 = true } }
            #expect(ran.wait(milliseconds: 5000) { $0 ? true : nil } == true)
        }
    }
}
