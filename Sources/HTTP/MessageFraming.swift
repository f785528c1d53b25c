/// What the fields of a message say about its body and its connection. Contradictions are errors, never preferences.
struct MessageFraming: Sendable {
    private var lengths = 0
    private var length: Int?
    private var codings: [UInt8]?
    private var closes = false
    private var staysOpen = false

    static func isTransferEncoding(_ name: ArraySlice<UInt8>) -> Bool { ASCII.equal(name, "transfer-encoding") }

    mutating func note(name: ArraySlice<UInt8>, value: ArraySlice<UInt8>) {
        switch name.count {
        case 10 where ASCII.equal(name, "connection"):
            for part in value.split(separator: ASCII.comma) {
                let option = ASCII.trimmed(part)
                if ASCII.equal(option, "close") { closes = true }
                if ASCII.equal(option, "keep-alive") { staysOpen = true }
            }
        case 14 where ASCII.equal(name, "content-length"):
            lengths += 1
            length = ASCII.decimal(value)
        case 17 where Self.isTransferEncoding(name):
            codings = (codings.map { $0 + [ASCII.comma] } ?? []) + value
        default: break
        }
    }

    func keepsAlive(isVersion10: Bool) -> Bool { !closes && (!isVersion10 || staysOpen) }

    /// RFC 9112 6.3, for a request.
    func requestBody(isVersion10: Bool) throws(HTTPParseFailure) -> HTTPRequestFraming.Body {
        if try isChunked(isVersion10: isVersion10) { return .chunked }
        return try contentLength().map { .length($0) } ?? .none
    }

    func isChunked(isVersion10: Bool) throws(HTTPParseFailure) -> Bool {
        guard let codings else { return false }
        guard lengths == 0 else { throw .badFraming("A message has either a Content-Length or a Transfer-Encoding.") }
        guard !isVersion10 else { throw .badFraming("HTTP/1.0 has no Transfer-Encoding.") }
        if ASCII.equal(codings[...], "chunked") { return true }
        let parts = codings.split(separator: ASCII.comma, omittingEmptySubsequences: false).map {
            ASCII.lowercased(String(decoding: ASCII.trimmed($0), as: UTF8.self))
        }
        let chunked = parts.indices.filter { parts[$0] == "chunked" }
        guard !parts.contains(""), chunked.isEmpty || chunked == [parts.count - 1],
            !parts.contains(where: { $0 != "chunked" && Self.looksChunked($0) })
        else { throw .badFraming("The Transfer-Encoding must be chunked, once and last.") }
        throw .init(.notImplemented, "unsupported_transfer_coding", "The only Transfer-Encoding known here is chunked.")
    }

    private static func looksChunked(_ coding: String) -> Bool {
        let pattern = Array("chunked".utf8)
        let bytes = Array(coding.utf8)
        return bytes.count >= pattern.count
            && (0...(bytes.count - pattern.count)).contains { bytes[$0...].starts(with: pattern) }
    }

    func contentLength() throws(HTTPParseFailure) -> Int? {
        if lengths == 0 { return nil }
        guard lengths == 1, let length else {
            throw .badContentLength("There must be one Content-Length, a decimal number of at most 2^53.")
        }
        return length
    }
}
