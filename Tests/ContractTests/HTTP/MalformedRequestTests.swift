import API
import HTTP
import JSON
import Platform
import TestSupport
import Testing

/// The other end of a connection, with nothing between the test and the bytes.
final class RawPeer {
    private let socket: Descriptor
    private(set) var parser = HTTPResponseParser()

    init(_ address: SocketAddress) throws { socket = try TCP.connect(to: address, milliseconds: 5_000) }

    func send(_ bytes: [UInt8]) {
        var start = 0
        while start < bytes.count {
            // A server that has closed already is for the reading half of the test to notice.
            let sent = try? bytes.withUnsafeBytes {
                try TCP.send(UnsafeRawBufferPointer(rebasing: $0[start...]), to: socket)
            }
            guard let sent, sent > 0 else { return }
            start += sent
        }
    }

    func send(_ text: String) { send(Array(text.utf8)) }

    func endSending() { TCP.shutdownSending(socket) }

    /// What comes next; nil at the end.
    func read(milliseconds: Int = 10_000) throws -> [UInt8]? {
        guard try socket.waitReadable(milliseconds: milliseconds) else { throw TestFailure("the server is silent") }
        guard let bytes = try? socket.read(upTo: 1 << 16), !bytes.isEmpty else { return nil }
        return bytes
    }

    /// All responses until the server closes.
    func responses() throws -> [HTTPResponse] {
        var found: [HTTPResponse] = []
        parser.expectResponse(to: .post)
        while true {
            while let event = try parser.next() {
                switch event {
                case .head(let response, _): found.append(response)
                case .body(let bytes): found[found.count - 1].body += bytes
                case .end: parser.expectResponse(to: .post)
                }
            }
            guard let bytes = try read() else { return found }
            parser.receive(bytes)
        }
    }
}

struct MalformedRequest: Sendable, CustomTestStringConvertible {
    var name: String
    var text: String
    var status: Int
    var code: String
    var needsEnd = false

    init(_ name: String, _ text: String, _ status: Int, _ code: String, needsEnd: Bool = false) {
        (self.name, self.text, self.status, self.code, self.needsEnd) = (name, text, status, code, needsEnd)
    }

    var testDescription: String { name }
}

/// `PROMISES` 2.3 against the real api: `TOKEN` and `PORT` are filled in.
private func room(_ fields: String, _ body: String = "") -> String {
    "POST /v1/rooms HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nAuthorization: Bearer TOKEN\r\n"
        + "Content-Type: application/json\r\n\(fields)\r\n\r\n\(body)"
}

private func target(_ target: String) -> String {
    "POST \(target) HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nAuthorization: Bearer TOKEN\r\n"
        + "Content-Type: application/json\r\nContent-Length: 13\r\n\r\n{\"title\":\"a\"}"
}

private let canary = "{\"title\":\"a\"}"

let malformedRequests: [MalformedRequest] = [
    .init("length and chunked", room("Content-Length: 13\r\nTransfer-Encoding: chunked", canary), 400, "bad_framing"),
    .init("chunked not last", room("Transfer-Encoding: chunked, gzip", canary), 400, "bad_framing"),
    .init("chunked twice", room("Transfer-Encoding: chunked, chunked", canary), 400, "bad_framing"),
    .init("xchunked", room("Transfer-Encoding: xchunked", canary), 400, "bad_framing"),
    .init("unknown coding", room("Transfer-Encoding: gzip", canary), 501, "unsupported_transfer_coding"),
    .init("empty length", room("Content-Length: ", canary), 400, "bad_content_length"),
    .init("length with a sign", room("Content-Length: +13", canary), 400, "bad_content_length"),
    .init("two lengths", room("Content-Length: 13\r\nContent-Length: 13", canary), 400, "bad_content_length"),
    .init("length list", room("Content-Length: 13, 13", canary), 400, "bad_content_length"),
    .init("hexadecimal length", room("Content-Length: 0xd", canary), 400, "bad_content_length"),
    .init("bad chunk size", room("Transfer-Encoding: chunked", "0xd\r\n\(canary)\r\n0\r\n\r\n"), 400, "bad_chunk"),
    .init("bare LF in chunk", room("Transfer-Encoding: chunked", "d\n\(canary)\r\n0\r\n\r\n"), 400, "bad_chunk"),
    .init("no last chunk", room("Transfer-Encoding: chunked", "d\r\n\(canary)\r\n"), 400, "bad_chunk", needsEnd: true),
    .init("bare LF in head", room("Content-Length: 13\nX: y", canary), 400, "bad_header"),
    .init("folded field", room("Content-Length: 13\r\nX: y\r\n z", canary), 400, "bad_header"),
    .init("space before colon", room("Content-Length : 13", canary), 400, "bad_header"),
    .init("NUL in a value", room("Content-Length: 13\r\nX: a\0b", canary), 400, "bad_header"),
    .init("two hosts", room("Host: 127.0.0.1\r\nContent-Length: 13", canary), 400, "bad_host"),
    .init(
        "no host", "POST /v1/rooms HTTP/1.1\r\nAuthorization: Bearer TOKEN\r\nContent-Length: 13\r\n\r\n\(canary)", 400,
        "bad_host"),
    .init("bad host", "POST /v1/rooms HTTP/1.1\r\nHost: a b\r\nContent-Length: 13\r\n\r\n\(canary)", 400, "bad_host"),
    .init("other authority", target("http://other/v1/rooms"), 421, "host_not_allowed"),
    .init("fragment", target("/v1/rooms#a"), 400, "bad_target"),
    .init("dot segments", target("/v1/x/../rooms"), 400, "bad_target"),
    .init("encoded dots", target("/v1/%2e%2e/v1/rooms"), 400, "bad_target"),
    .init("NUL in target", target("/v1/rooms%00"), 400, "bad_target"),
    .init("encoded slash", target("/v1%2frooms"), 400, "bad_target"),
    .init("encoded twice", target("/v1/%2572ooms"), 400, "bad_target"),
    .init("bad escape", target("/v1/rooms?a=%zz"), 400, "bad_target"),
    .init("unknown expectation", room("Content-Length: 13\r\nExpect: tea", canary), 417, "expectation_failed"),
    .init("body too large", room("Content-Length: 1048577"), 413, "payload_too_large"),
    .init(
        "head too large", room("X: \(String(repeating: "x", count: 33_000))\r\nContent-Length: 13", canary), 431,
        "head_too_large"),
    .init(
        "too many fields", room(String(repeating: "X: y\r\n", count: 100) + "Content-Length: 13", canary), 431,
        "head_too_large"),
    .init("target too long", target("/v1/rooms?" + String(repeating: "a", count: 8_200)), 414, "uri_too_long"),
    .init("unknown method", "BREW /v1/rooms HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", 501, "method_not_implemented"),
    .init("HTTP/2.0", "POST /v1/rooms HTTP/2.0\r\nHost: 127.0.0.1:PORT\r\n\r\n", 505, "version_not_supported"),
    .init("HTTP/0.9", "GET /v1/rooms\r\n\r\n", 400, "bad_request_line"),
]

@Suite("A malformed request")
struct MalformedRequestTests {
    @Test("gets its answer in the api's words, and nothing behind it on the connection is executed")
    func refused() throws {
        try withAPI(.socket) { api in
            let before = try api.lastGlobalSeq()
            guard let address = api.address else { throw TestFailure("no socket") }
            func filled(_ text: String) -> String {
                text.replacing("TOKEN", with: api.application.operatorToken).replacing("PORT", with: "\(address.port)")
            }
            let behind = room("Content-Length: 13", canary)
            for malformed in malformedRequests {
                let peer = try RawPeer(address)
                peer.send(filled(malformed.text) + (malformed.needsEnd ? "" : filled(behind)))
                if malformed.needsEnd { peer.endSending() }
                let responses = try peer.responses()
                #expect(responses.count == 1, "\(malformed.name)")
                guard let response = responses.first else { continue }
                let answer = Answered(response: response)
                #expect(answer.status == malformed.status, "\(malformed.name)")
                #expect(answer.code == malformed.code, "\(malformed.name)")
                #expect(response.fields[.connection] == "close", "\(malformed.name)")
                expectProblem(answer)
                #expect(!answer.text.contains(canary), "\(malformed.name): no echo of the body")
            }
            #expect(try api.lastGlobalSeq() == before)
            #expect(try api.operator.get("/v1/rooms")["rooms"] == [])
        }
    }

    @Test("split at every byte gets the same answer")
    func split() throws {
        try withAPI(.socket) { api in
            guard let address = api.address else { throw TestFailure("no socket") }
            for malformed in malformedRequests where malformed.text.utf8.count < 260 && !malformed.needsEnd {
                let text = malformed.text.replacing("TOKEN", with: "x").replacing("PORT", with: "\(address.port)")
                let bytes = Array(text.utf8)
                let peer = try RawPeer(address)
                for byte in bytes { peer.send([byte]) }
                let responses = try peer.responses()
                #expect(responses.map(\.status.code) == [malformed.status], "\(malformed.name)")
            }
        }
    }

    @Test("does not keep the next connection from being served")
    func afterwards() throws {
        try withAPI(.socket) { api in
            guard let address = api.address else { throw TestFailure("no socket") }
            let peers = try (0..<50).map { _ in try RawPeer(address) }
            for peer in peers { peer.send("GET /v1/rooms HT") }
            #expect(try api.operator.get("/v1/rooms").status == 200)
        }
    }
}
