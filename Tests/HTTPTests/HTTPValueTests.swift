import HTTP
import Testing

@Suite("HTTP values")
struct HTTPValueTests {
    @Test("a target gives path, segments and parameters decoded once")
    func target() throws {
        let target = try HTTPTarget("/v1/a%20b/%C3%A9?x=1&y=a%26b+c&x=2&flag&=v")
        #expect(target.path == "/v1/a b/é")
        #expect(target.segments == ["v1", "a b", "é"])
        #expect(target.queryValue("y") == "a&b c")
        #expect(target.queryValues("x") == ["1", "2"])
        #expect(target.queryValue("flag") == "")
        #expect(target.queryValue("none") == nil)
        #expect(target.raw.hasPrefix("/v1/a%20b"))
        #expect(try HTTPTarget("/").segments.isEmpty)
        #expect(try HTTPTarget("/100%25").path == "/100%")
        #expect(try HTTPTarget("/a/").segments == ["a", ""])
        #expect(try HTTPTarget("/.well-known/..a").path == "/.well-known/..a")
    }

    @Test("fields keep their order, replace and remove")
    func fields() {
        var fields: HTTPFields = [.etag: "\"1\"", .setCookie: "a", .setCookie: "b"]
        #expect(fields.all(.setCookie) == ["a", "b"])
        fields[.setCookie] = "c"
        fields.append(.location, "/x")
        fields[.etag] = nil
        #expect(fields.description == "set-cookie: c\r\nlocation: /x\r\n")
        #expect(fields == [.setCookie: "c", .location: "/x"])
    }

    @Test(
        "a field that would split a message is known as such",
        arguments: ["a\r\nb: c", "a\nb", "a\rb", "a\0b", "\u{7F}"])
    func unsafeFields(_ value: String) {
        #expect(!HTTPFields(dictionaryLiteral: (.location, value)).canBeSent)
        #expect(!HTTPFields(dictionaryLiteral: (HTTPFieldName("x\(value)"), "v")).canBeSent)
        #expect(HTTPFields(dictionaryLiteral: (.location, "é\t x")).canBeSent)
    }

    @Test(
        "dates are written as RFC 9110 wants them",
        arguments: [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (4_102_444_799, "Thu, 31 Dec 2099 23:59:59 GMT"),
        ])
    func dates(_ seconds: Int64, _ text: String) {
        #expect(String(decoding: HTTPDate.format(secondsSince1970: seconds), as: UTF8.self) == text)
    }

    @Test(
        "a URL names scheme, host, port and target",
        arguments: [
            ("http://localhost", "localhost", 80, "/", "localhost"),
            ("HTTPS://A.test:8443/x?y=z", "a.test", 8443, "/x?y=z", "a.test:8443"),
            ("http://127.0.0.1:7717/", "127.0.0.1", 7717, "/", "127.0.0.1:7717"),
            ("http://[::1]:80?a", "::1", 80, "/?a", "[::1]"),
            ("http://[::ffff:1.2.3.4]", "::ffff:1.2.3.4", 80, "/", "[::ffff:1.2.3.4]"),
            ("http://[1:2:3:4:5:6:7:8]", "1:2:3:4:5:6:7:8", 80, "/", "[1:2:3:4:5:6:7:8]"),
            ("http://[1::8]", "1::8", 80, "/", "[1::8]"),
        ])
    func urls(_ text: String, _ host: String, _ port: UInt16, _ target: String, _ field: String) throws {
        let url = try HTTPURL(text)
        #expect(url.host == host)
        #expect(url.port == port)
        #expect(url.target.raw == target)
        #expect(url.hostField == field)
    }

    @Test(
        "what is not exactly such a URL is refused",
        arguments: [
            "", "http:", "http://", "http:///a", "ftp://a", "//a", "a", "http//a", "http://a:b", "http://a:0",
            "http://a:65536",
            "http://a:", "http://user@a", "http://user:p@a/", "http://a b/", "http://a\\@b/", "http://a/#f",
            "http://a#b", "http://ä/",
            "http://[::1", "http://::1/", "http://[::1%25lo]/", "http://a\t/", "http://a/\n", "http://[:::]",
            "http://[1:2]",
            "http://[1::2::3]", "http://[12345::]", "http://[::256.1.1.1]", "http://a/../b", "http://[:1:2:3:4:5:6:7]",
        ])
    func badURLs(_ text: String) {
        #expect(throws: HTTPURL.Failure.self) { try HTTPURL(text) }
    }
}

@Suite("Server-sent events")
struct SSETests {
    @Test("are read as WHATWG says, however they are split")
    func reading() throws {
        let text =
            "\u{FEFF}: hello\nid: 1\nevent: a\ndata: x\ndata:y\n\ndata\r\n\r\nid\ndata:  z\r\rretry: 1500\nretry: x\nid: n\0o\nevent: unused\n\ndata: cut"
        let wanted = [
            SSEEvent(id: "1", event: "a", data: "x\ny"), SSEEvent(id: "1", data: ""), SSEEvent(id: "", data: " z"),
        ]
        for step in 1...text.utf8.count {
            var parser = SSEParser()
            var events: [SSEEvent] = []
            var rest = Array(text.utf8)[...]
            while !rest.isEmpty {
                events += try parser.receive(rest.prefix(step))
                rest = rest.dropFirst(step)
            }
            #expect(events == wanted)
            #expect(parser.retryMilliseconds == 1500)
            #expect(parser.lastEventID == "")
        }
    }

    @Test("are written so that they are read back")
    func writing() throws {
        let frame = SSEWriter.frame(id: "7", event: "run.created", data: Array("{\n}".utf8))
        #expect(String(decoding: frame, as: UTF8.self) == "id: 7\nevent: run.created\ndata: {\ndata: }\n\n")
        var parser = SSEParser()
        let events = try parser.receive(SSEWriter.retry(milliseconds: 5) + SSEWriter.keepAlive + frame)
        #expect(events == [SSEEvent(id: "7", event: "run.created", data: "{\n}")])
        #expect(parser.lastEventID == "7")
    }

    @Test("have bounded lines and events")
    func limits() throws {
        var parser = SSEParser(lineBytesMax: 10, eventBytesMax: 20)
        #expect(throws: SSEParser.Failure.lineTooLong) { try parser.receive(Array("data: 12345".utf8)) }
        #expect(throws: SSEParser.Failure.lineTooLong) { try parser.receive(Array("\n".utf8)) }
        parser = SSEParser(lineBytesMax: 10, eventBytesMax: 20)
        let endless = String(repeating: "data:abcd\n", count: 10)
        #expect(throws: SSEParser.Failure.eventTooLarge) { try parser.receive(Array(endless.utf8)) }
    }
}
