import HTTP
import Testing

private struct Parsed {
    var request: HTTPRequest
    var framing: HTTPRequestFraming
}

private func parse(_ text: String, split: Bool = false) throws -> [Parsed] {
    var parser = HTTPRequestParser()
    var parsed: [Parsed] = []
    let bytes = Array(text.utf8)
    for piece in split ? bytes.map({ [$0] }) : [bytes] {
        parser.receive(piece)
        while let event = try parser.next() {
            switch event {
            case .head(let request, let framing): parsed.append(Parsed(request: request, framing: framing))
            case .body(let bytes): parsed[parsed.count - 1].request.body += bytes
            case .end: break
            }
        }
    }
    try parser.end()
    return parsed
}

@Suite("The request parser")
struct HTTPRequestParserTests {
    @Test(
        "reads valid requests the same however they are split",
        arguments: [
            "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "GET /a/b?c=d&e HTTP/1.1\r\nhOsT:localhost:7717\r\nX:  spaces around \t\r\nEmpty:\r\n\r\n",
            "POST /a HTTP/1.1\r\nHost: [::1]:80\r\nContent-Length: 5\r\n\r\nhello",
            "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n5;x=\"y\"\r\nhello\r\n00A\r\n0123456789\r\n0\r\nT: r\r\n\r\n",
            "PUT /a HTTP/1.0\r\nContent-Length: 0\r\n\r\n",
            "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET http://a/b HTTP/1.1\r\nHost: A:80\r\n\r\n",
            "\r\nGET /v1.5 HTTP/1.7\r\nHost: 127.0.0.1\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n",
        ])
    func splits(_ text: String) throws {
        let whole = try parse(text)
        let split = try parse(text, split: true)
        #expect(!whole.isEmpty)
        #expect(whole.map(\.request) == split.map(\.request))
        #expect(whole.map(\.framing) == split.map(\.framing))
    }

    @Test("gives fields by name in any case, values without the spaces around, and all of them in order")
    func fields() throws {
        let request = try parse("GET / HTTP/1.1\r\nHost: a\r\nX-Two: 1\r\nx-two:\t2 3 \r\nX-Request-ID: r\r\n\r\n")[0]
            .request
        #expect(request.fields[.host] == "a")
        #expect(request.fields["X-TWO"] == "1")
        #expect(request.fields.all("x-two") == ["1", "2 3"])
        #expect(request.fields[.xRequestID] == "r")
        #expect(request.fields[.cookie] == nil)
        #expect(request.fields.map(\.name.text) == ["host", "x-two", "x-two", "x-request-id"])
    }

    @Test("joins chunks and drops trailers")
    func chunks() throws {
        let text =
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Admin: 1\r\n\r\n"
        let request = try parse(text)[0].request
        #expect(request.body == Array("abcde".utf8))
        #expect(request.fields["x-admin"] == nil)
    }

    @Test(
        "knows when a connection is kept",
        arguments: [
            ("HTTP/1.1", "", true), ("HTTP/1.1", "Connection: close\r\n", false), ("HTTP/1.0", "", false),
            ("HTTP/1.0", "Connection: Keep-Alive\r\n", true), ("HTTP/1.0", "Connection: keep-alive, close\r\n", false),
            ("HTTP/1.1", "Connection: upgrade\r\nUpgrade: h2c\r\n", true),
        ])
    func keepAlive(_ version: String, _ field: String, _ keeps: Bool) throws {
        #expect(try parse("GET / \(version)\r\nHost: a\r\n\(field)\r\n")[0].framing.keepsAlive == keeps)
    }

    @Test("accepts a head exactly at its limits, and not one byte more")
    func limits() throws {
        let line = "GET /\(String(repeating: "a", count: 8192 - 16)) HTTP/1.1\r\n"
        #expect(line.utf8.count == 8192)
        #expect(try parse(line + "Host: a\r\n\r\n").count == 1)
        #expect(throws: HTTPParseFailure.self) { try parse("GET /a" + line.dropFirst(5) + "Host: a\r\n\r\n") }
        let start = "GET / HTTP/1.1\r\nHost: a\r\nA: "
        let filler = String(repeating: "b", count: (32 << 10) - start.utf8.count - 4)
        #expect(try parse(start + filler + "\r\n\r\n").count == 1)
        #expect(throws: HTTPParseFailure.self) { try parse(start + filler + "b\r\n\r\n") }
        let fields = String(repeating: "A: b\r\n", count: 99)
        #expect(try parse("GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")[0].request.fields.count == 100)
    }

    @Test("says nothing more after a failure")
    func poisoned() {
        var parser = HTTPRequestParser()
        parser.receive(Array("BAD\r\n".utf8))
        #expect(throws: HTTPParseFailure.self) { try parser.next() }
        parser.receive(Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
        #expect(throws: HTTPParseFailure.self) { try parser.next() }
    }
}

@Suite("The response parser")
struct HTTPResponseParserTests {
    private func parse(_ text: String, _ method: HTTPMethod = .get, step: Int = .max) throws -> [HTTPResponseParser
        .Event]
    {
        var parser = HTTPResponseParser()
        parser.expectResponse(to: method)
        var events: [HTTPResponseParser.Event] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            parser.receive(Array(rest.prefix(step)))
            rest = rest.dropFirst(step)
            while let event = try parser.next() { events.append(event) }
        }
        if events.last != .end, let event = try parser.end() { events.append(event) }
        return events
    }

    private func body(_ events: [HTTPResponseParser.Event]) -> String {
        var bytes: [UInt8] = []
        for case .body(let more) in events { bytes += more }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(
        "ends a body by length, by chunks, or with the connection",
        arguments: [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
            "HTTP/1.0 200 OK\r\n\r\nhello",
            "HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        ])
    func bodies(_ text: String) throws {
        for step in [1, 2, 7, .max] {
            let events = try parse(text, step: step)
            #expect(body(events) == "hello")
            #expect(events.last == .end)
        }
    }

    @Test("expects no body for HEAD, 204 and 304")
    func bodiless() throws {
        #expect(try parse("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", .head).count == 2)
        #expect(try parse("HTTP/1.1 204 No Content\r\n\r\n").count == 2)
        #expect(try parse("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n").count == 2)
    }

    @Test(
        "refuses what has two readings or none",
        arguments: [
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/2 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", "HTTP/1.1 200 OK\nA: b\r\n\r\n",
            "SSH-2.0-x\r\n",
            "HTTP/1.1 99 Low\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            "HTTP/1.1 101 Switching Protocols\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
            "HTTP/1.1 200 OK\r\nConte",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        ])
    func refusals(_ text: String) {
        #expect(throws: HTTPParseFailure.self) { try parse(text) }
        #expect(throws: HTTPParseFailure.self) { try parse(text, step: 1) }
    }
}
