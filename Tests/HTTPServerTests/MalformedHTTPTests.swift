import HTTP
import HTTPServer
import Platform
import Testing

private let valid = "GET /first HTTP/1.1\r\nHost: localhost\r\n\r\n"
private let canary = "GET /canary HTTP/1.1\r\nHost: localhost\r\n\r\n"

@Suite("Malformed HTTP gets its exact answer")
struct MalformedHTTPTests {
    @Test("in one piece, and the connection closes", arguments: malformedCases)
    func whole(_ row: MalformedCase) throws {
        try expectRefusal(of: row, pieces: [row.bytes])
    }

    @Test("split at every byte", arguments: malformedCases)
    func split(_ row: MalformedCase) throws {
        try expectRefusal(of: row, pieces: row.bytes.map { [$0] })
        for at in stride(from: 1, to: row.bytes.count, by: max(1, row.bytes.count / 150)) {
            try expectRefusal(of: row, pieces: [Array(row.bytes[..<at]), Array(row.bytes[at...])])
        }
    }

    @Test("behind a valid request, and what follows is never executed", arguments: malformedCases)
    func pipelined(_ row: MalformedCase) throws {
        let handler = RecordingHandler()
        var wire = Wire(handler)
        wire.receive(Array(valid.utf8) + row.bytes + (row.needsEnd ? [] : Array(canary.utf8)))
        wire.receive(row.needsEnd ? "" : canary)
        wire.receiveEnd()
        let answers = try responses(in: wire.sent)
        #expect(answers.map(\.status.code) == [200, row.status])
        #expect(handler.requests == ["GET /first"])
        #expect(wire.isClosed)
    }

    @Test("over a socket, with the connection closed behind the answer")
    func socket() throws {
        let handler = RecordingHandler()
        let server = HTTPServer(handler: handler)
        let address = try server.start(at: SocketAddress(numeric: "127.0.0.1", port: 0)!)
        for row in malformedCases {
            let peer = try Peer(address)
            peer.send(Array(valid.utf8) + row.bytes + (row.needsEnd ? [] : Array(canary.utf8)))
            if row.needsEnd { peer.endSending() }
            let answers = try responses(in: peer.readToEnd())
            #expect(answers.map(\.status.code) == [200, row.status], "\(row.name)")
            #expect(answers.last.map { String(decoding: $0.body, as: UTF8.self) } == row.code, "\(row.name)")
        }
        #expect(Set(handler.requests) == ["GET /first"])
        server.drain(graceMilliseconds: 1000)
        server.waitUntilStopped()
    }

    private func expectRefusal(of row: MalformedCase, pieces: [[UInt8]]) throws {
        let handler = RecordingHandler()
        var wire = Wire(handler)
        for piece in pieces { wire.receive(piece) }
        if row.needsEnd {
            #expect(wire.sent.isEmpty)
            wire.receiveEnd()
        }
        let answers = try responses(in: wire.sent)
        try #require(answers.count == 1, "\(row.name): \(wire.text)")
        #expect(answers[0].status.code == row.status)
        #expect(String(decoding: answers[0].body, as: UTF8.self) == row.code)
        #expect(answers[0].fields[.connection] == "close")
        #expect(wire.isShutDown || wire.isClosed)
        #expect(handler.requests.isEmpty)
    }
}
