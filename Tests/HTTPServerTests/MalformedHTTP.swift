import HTTP
import Testing

/// One row of PROMISES 2.3: bytes that must get exactly this answer.
struct MalformedCase: Sendable, CustomTestStringConvertible {
    var name: String
    var bytes: [UInt8]
    var status: Int
    var code: String
    /// Whether the fault shows only when the client has sent its last byte.
    var needsEnd = false

    var testDescription: String { name }

    init(_ name: String, _ text: String, _ status: Int, _ code: String, needsEnd: Bool = false) {
        self.init(name, bytes: Array(text.utf8), status, code, needsEnd: needsEnd)
    }

    init(_ name: String, bytes: [UInt8], _ status: Int, _ code: String, needsEnd: Bool = false) {
        (self.name, self.bytes, self.status, self.code, self.needsEnd) = (name, bytes, status, code, needsEnd)
    }
}

/// All close the connection.
let malformedCases: [MalformedCase] =
    framing + contentLengths + chunks + headers + hosts + sizes + requestLines + targets

private func post(_ fields: String, _ body: String = "") -> String {
    "POST /canary HTTP/1.1\r\nHost: localhost\r\n\(fields)\r\n\r\n\(body)"
}

private func get(_ target: String, _ fields: String = "Host: localhost\r\n") -> String {
    "GET \(target) HTTP/1.1\r\n\(fields)\r\n"
}

private let framing: [MalformedCase] = [
    .init(
        "length and chunked", post("Content-Length: 5\r\nTransfer-Encoding: chunked", "0\r\n\r\n"), 400, "bad_framing"),
    .init(
        "chunked and length", post("Transfer-Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\n"), 400, "bad_framing"),
    .init(
        "chunked in HTTP/1.0", "POST /canary HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
        "bad_framing"),
    .init("chunked not last", post("Transfer-Encoding: chunked, gzip"), 400, "bad_framing"),
    .init("chunked identity", post("Transfer-Encoding: chunked, identity"), 400, "bad_framing"),
    .init("chunked twice", post("Transfer-Encoding: chunked, chunked"), 400, "bad_framing"),
    .init(
        "chunked in two fields", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), 400, "bad_framing"),
    .init("chunkedchunked", post("Transfer-Encoding: chunkedchunked"), 400, "bad_framing"),
    .init("xchunked", post("Transfer-Encoding: xchunked"), 400, "bad_framing"),
    .init("chunked with a parameter", post("Transfer-Encoding: chunked;q=1"), 400, "bad_framing"),
    .init("quoted chunked", post("Transfer-Encoding: \"chunked\""), 400, "bad_framing"),
    .init("empty coding", post("Transfer-Encoding:"), 400, "bad_framing"),
    .init("empty coding in a list", post("Transfer-Encoding: ,chunked"), 400, "bad_framing"),
    .init("coding behind a tab", post("Transfer-Encoding:\tchunked"), 400, "bad_framing"),
    .init("coding with a vertical tab", post("Transfer-Encoding: \u{0B}chunked"), 400, "bad_framing"),
    .init("coding with NUL", post("Transfer-Encoding: chunked\0"), 400, "bad_framing"),
    .init("gzip", post("Transfer-Encoding: gzip"), 501, "unsupported_transfer_coding"),
    .init("gzip, chunked", post("Transfer-Encoding: gzip, chunked"), 501, "unsupported_transfer_coding"),
    .init("identity", post("Transfer-Encoding: identity"), 501, "unsupported_transfer_coding"),
]

private let contentLengths: [MalformedCase] =
    [
        "", "+1", "-1", "1_0", "0x10", "1 2", "1,1", "1, 1", "1.0", "1e2", "9007199254740993", "18446744073709551616",
        "99999999999999999999999999", "a", "\u{0661}",
    ].map { .init("length '\($0)'", post("Content-Length: \($0)", "abc"), 400, "bad_content_length") } + [
        .init("length twice, equal", post("Content-Length: 1\r\nContent-Length: 1", "a"), 400, "bad_content_length"),
        .init(
            "length twice, different", post("Content-Length: 1\r\nContent-Length: 2", "ab"), 400, "bad_content_length"),
    ]

private func chunked(_ body: String) -> String { post("Transfer-Encoding: chunked", body) }

private let chunks: [MalformedCase] = [
    .init("empty chunk size", chunked("\r\nabc\r\n0\r\n\r\n"), 400, "bad_chunk"),
    .init("chunk size 0x1", chunked("0x1\r\na\r\n0\r\n\r\n"), 400, "bad_chunk"),
    .init("chunk size 1_0", chunked("1_0\r\na\r\n0\r\n\r\n"), 400, "bad_chunk"),
    .init("chunk size -1", chunked("-1\r\na\r\n0\r\n\r\n"), 400, "bad_chunk"),
    .init("chunk size +1", chunked("+1\r\na\r\n0\r\n\r\n"), 400, "bad_chunk"),
    .init("chunk size of nine digits", chunked("000000001\r\na\r\n0\r\n\r\n"), 400, "bad_chunk"),
    .init("chunk size beyond 64 bits", chunked("fffffffffffffffff1\r\na\r\n0\r\n\r\n"), 400, "bad_chunk"),
    .init("space before chunk size", chunked(" 1\r\na\r\n0\r\n\r\n"), 400, "bad_chunk"),
    .init("space behind chunk size", chunked("1 \r\na\r\n0\r\n\r\n"), 400, "bad_chunk"),
    .init("not hexadecimal", chunked("g\r\na\r\n0\r\n\r\n"), 400, "bad_chunk"),
    .init("bare LF behind chunk size", chunked("1\na\r\n0\r\n\r\n"), 400, "bad_chunk"),
    .init("bare CR behind chunk size", chunked("1\ra\r\n0\r\n\r\n"), 400, "bad_chunk"),
    .init("bare LF behind chunk data", chunked("1\r\na\n0\r\n\r\n"), 400, "bad_chunk"),
    .init("chunk longer than it says", chunked("1\r\nab\r\n0\r\n\r\n"), 400, "bad_chunk"),
    .init("CR and something behind chunk data", chunked("1\r\na\rb0\r\n\r\n"), 400, "bad_chunk"),
    .init("no last chunk", chunked("1\r\na\r\n"), 400, "bad_chunk", needsEnd: true),
    .init(
        "chunk extension too long", chunked("1;\(String(repeating: "e", count: 256))\r\na\r\n0\r\n\r\n"), 400,
        "bad_chunk"),
    .init("control character in extension", chunked("1;a=\u{01}\r\na\r\n0\r\n\r\n"), 400, "bad_chunk"),
    .init("bare LF in trailer", chunked("0\r\nA: b\n\r\n"), 400, "bad_header"),
    .init("trailer without colon", chunked("0\r\nabc\r\n\r\n"), 400, "bad_header"),
    .init(
        "trailer too large", chunked("0\r\nA: \(String(repeating: "b", count: 9000))\r\n\r\n"), 431, "head_too_large"),
    .init("chunks beyond the limit", chunked("100001\r\n"), 413, "payload_too_large"),
]

private let headers: [MalformedCase] = [
    .init("bare LF behind the request line", "GET /canary HTTP/1.1\nHost: localhost\r\n\r\n", 400, "bad_header"),
    .init("bare LF behind a field", get("/canary", "Host: localhost\nA: b\r\n"), 400, "bad_header"),
    .init("bare LF at the end of the head", "GET /canary HTTP/1.1\r\nHost: localhost\r\n\n", 400, "bad_header"),
    .init("two line feeds", "\n\nGET /canary HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "bad_header"),
    .init("bare CR in a value", get("/canary", "Host: localhost\r\nA: b\rc: d\r\n"), 400, "bad_header"),
    .init("bare CR in the request line", "GET /canary\r HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "bad_header"),
    .init("folded value", get("/canary", "Host: localhost\r\nA: b\r\n c\r\n"), 400, "bad_header"),
    .init("value folded with a tab", get("/canary", "Host: localhost\r\nA: b\r\n\tc\r\n"), 400, "bad_header"),
    .init("space before the colon", get("/canary", "Host : localhost\r\n"), 400, "bad_header"),
    .init("tab before the colon", get("/canary", "Host\t: localhost\r\n"), 400, "bad_header"),
    .init("space before the first field", get("/canary", " Host: localhost\r\n"), 400, "bad_header"),
    .init("empty name", get("/canary", "Host: localhost\r\n: b\r\n"), 400, "bad_header"),
    .init("no colon", get("/canary", "Host: localhost\r\nabc\r\n"), 400, "bad_header"),
    .init("brackets in a name", get("/canary", "Host: localhost\r\nA[1]: b\r\n"), 400, "bad_header"),
    .init("non-ASCII name", get("/canary", "Host: localhost\r\nÄ: b\r\n"), 400, "bad_header"),
    .init("NUL in a name", get("/canary", "Host: localhost\r\nA\0: b\r\n"), 400, "bad_header"),
    .init("NUL in a value", get("/canary", "Host: localhost\r\nA: b\0c\r\n"), 400, "bad_header"),
    .init("control character in a value", get("/canary", "Host: localhost\r\nA: b\u{1B}c\r\n"), 400, "bad_header"),
    .init("DEL in a value", get("/canary", "Host: localhost\r\nA: b\u{7F}c\r\n"), 400, "bad_header"),
    .init("unknown expectation", post("Content-Length: 1\r\nExpect: 200-ok", "a"), 417, "expectation_failed"),
    .init("two expectations", post("Content-Length: 1\r\nExpect: 100-continue, x", "a"), 417, "expectation_failed"),
]

private let hosts: [MalformedCase] =
    [
        "", "a,b", "a, b", "a b", "a:b", "a:", "a:0", "a:65536", "a:99999999999", "user@a", "a/b", "a?b", "a#b", "[::1",
        "[::1]x", "[::g]", "[1:2:3:4:5:6:7:8:9]", "[fe80::1%25lo]", "ä", "a\\b", "%61", "\"a\"", "::1",
    ].map { .init("host '\($0)'", get("/canary", "Host: \($0)\r\n"), 400, "bad_host") } + [
        .init("no host", get("/canary", ""), 400, "bad_host"),
        .init("two hosts", get("/canary", "Host: localhost\r\nHost: localhost\r\n"), 400, "bad_host"),
        .init("absolute form of another host", get("http://other/canary"), 421, "host_not_allowed"),
        .init("absolute form of another port", get("http://localhost:81/canary"), 421, "host_not_allowed"),
        .init("absolute form with a user", get("http://a@localhost/canary"), 400, "bad_target"),
        .init("absolute form, other scheme", get("ftp://localhost/canary"), 400, "bad_target"),
    ]

private let sizes: [MalformedCase] = [
    .init("request line too long", get("/" + String(repeating: "a", count: 8192)), 414, "uri_too_long"),
    .init("endless request line", "GET /" + String(repeating: "a", count: 9000), 414, "uri_too_long"),
    .init("endless method", String(repeating: "G", count: 9000), 414, "uri_too_long"),
    .init(
        "head too large", get("/canary", "Host: localhost\r\nA: \(String(repeating: "b", count: 32768))\r\n"), 431,
        "head_too_large"),
    .init(
        "head too large in many fields",
        get(
            "/canary",
            "Host: localhost\r\n" + String(repeating: "A: \(String(repeating: "b", count: 500))\r\n", count: 70)),
        431, "head_too_large"),
    .init(
        "101 fields", get("/canary", "Host: localhost\r\n" + String(repeating: "A: b\r\n", count: 100)), 431,
        "head_too_large"),
    .init("body above the route's limit", post("Content-Length: 1048577"), 413, "payload_too_large"),
    .init("body far above the limit", post("Content-Length: 9007199254740992"), 413, "payload_too_large"),
]

private let requestLines: [MalformedCase] = [
    .init("HTTP/0.9", "GET /canary\r\n\r\n", 400, "bad_request_line"),
    .init("no target", "GET HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad_request_line"),
    .init("two spaces", "GET  /canary HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad_request_line"),
    .init("space in the target", "GET /can ary HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad_request_line"),
    .init("space at the end", "GET /canary HTTP/1.1 \r\nHost: a\r\n\r\n", 400, "bad_request_line"),
    .init("space at the beginning", " GET /canary HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad_request_line"),
    .init("method with brackets", "G[]T /canary HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad_request_line"),
    .init("method with NUL", "G\0T /canary HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad_request_line"),
    .init("TLS hello", bytes: [0x16, 3, 1, 0, 0x0D, 0x0A], 400, "bad_request_line"),
    .init("unknown method", "BREW /canary HTTP/1.1\r\nHost: a\r\n\r\n", 501, "method_not_implemented"),
    .init("lower-case method", "get /canary HTTP/1.1\r\nHost: a\r\n\r\n", 501, "method_not_implemented"),
    .init("CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 501, "method_not_implemented"),
    .init("HTTP/2.0", "GET /canary HTTP/2.0\r\nHost: a\r\n\r\n", 505, "version_not_supported"),
    .init("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "version_not_supported"),
    .init("HTTP/1.10", "GET /canary HTTP/1.10\r\nHost: a\r\n\r\n", 505, "version_not_supported"),
    .init("http/1.1", "GET /canary http/1.1\r\nHost: a\r\n\r\n", 505, "version_not_supported"),
    .init("HTTP/1.x", "GET /canary HTTP/1.x\r\nHost: a\r\n\r\n", 505, "version_not_supported"),
    .init("ICY", "GET /canary ICY/1.1\r\nHost: a\r\n\r\n", 505, "version_not_supported"),
]

private let targets: [MalformedCase] =
    [
        "/a#b", "/a\\b", "/a%5Cb", "/a%00b", "/?a=%00", "/a%", "/a%2", "/a%zz", "/?a=%", "/ä", "/?ä", "/..", "/a/..",
        "/../a", "/a/../b", "/.", "/./a", "/%2e%2e", "/a/%2E%2e/b", "/.%2e", "/%2e", "/%252e%252e", "/a%252fb",
        "/a%2fb",
        "/%c3%28", "/?a=%ff", "/a%0ab", "/a\u{01}", "/a\"b", "/a<b>", "a", "*", "canary/x", "?a=b",
    ].map { .init("target '\($0)'", get($0), 400, "bad_target") }
