/// What a request is about: a path and a query, decoded once and checked.
///
/// The path has no dot segments, no empty name hidden in an escape (`%2F`, `%5C`), nothing that decodes twice,
/// no control characters, and is valid UTF-8: splitting it at `/` gives what the client meant.
package struct HTTPTarget: Sendable, Hashable {
    /// As it stood in the request line, in origin form.
    package let raw: String
    /// Percent-decoded; `*` for `OPTIONS *`.
    package let path: String
    private let queryStart: Int?

    /// Reads an origin-form target (`/path?query`), or `*`.
    package init(_ raw: String) throws(HTTPParseFailure) {
        var raw = raw
        raw.makeContiguousUTF8()
        if raw == "*" {
            (self.raw, path, queryStart) = (raw, raw, nil)
            return
        }
        let bytes = raw.utf8
        guard bytes.first == ASCII.slash else { throw .badTarget("The target must begin with a slash.") }
        var queryOffset: Int?
        var escapes = false
        var dots = false
        var offset = 0
        var before = ASCII.slash
        for byte in bytes {
            if queryOffset == nil {
                if byte == UInt8(ascii: "?") {
                    queryOffset = offset
                } else if byte == ASCII.percent {
                    escapes = true
                } else if !Self.pathCharacters.contains(byte) {
                    throw Self.badCharacter(byte)
                }
                if byte == UInt8(ascii: "."), before == ASCII.slash { dots = true }
                before = byte
            } else if byte != ASCII.percent, !Self.queryCharacters.contains(byte) {
                throw Self.badCharacter(byte)
            }
            offset += 1
        }
        let end = queryOffset.map { bytes.index(bytes.startIndex, offsetBy: $0) } ?? bytes.endIndex
        let rawPath = raw[..<end]
        path = escapes ? try Self.decodePath(rawPath) : String(rawPath)
        if escapes || dots, path.utf8.split(separator: ASCII.slash).contains(where: Self.isDotSegment) {
            throw .badTarget("The path must not have dot segments.")
        }
        self.raw = raw
        queryStart = queryOffset.map { $0 + 1 }
        if queryStart != nil { _ = try Self.decodeQuery(rawQuery) }
    }

    /// The names between the slashes; `/` has none, `/a/` has two of which the last is empty.
    package var segments: [Substring] {
        path == "/" || path == "*" ? [] : path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    }

    /// The part behind the question mark, as it came; empty when there is none.
    package var rawQuery: Substring {
        guard let queryStart else { return "" }
        return raw[raw.utf8.index(raw.startIndex, offsetBy: queryStart)...]
    }

    /// The parameters in their order, decoded (`+` is a space).
    package var query: [(name: String, value: String)] {
        // Decoding was tried when the target was made, so it cannot fail here.
        queryStart == nil ? [] : (try? Self.decodeQuery(rawQuery)) ?? []
    }

    /// The first value of the parameter.
    package func queryValue(_ name: String) -> String? { query.first { $0.name == name }?.value }

    /// All values of the parameter: more than one is for the caller to refuse.
    package func queryValues(_ name: String) -> [String] { query.filter { $0.name == name }.map(\.value) }

    package static func == (left: Self, right: Self) -> Bool { left.raw == right.raw }
    package func hash(into hasher: inout Hasher) { hasher.combine(raw) }

    // RFC 3986 `pchar`, and what browsers leave as it is.
    private static let pathCharacters = ASCII.CharacterSet("/-._~!$&'()*+,;=:@|[]^")
    private static let queryCharacters = ASCII.CharacterSet("/?-._~!$&'()*+,;=:@|[]^{}`")

    private static func badCharacter(_ byte: UInt8) -> HTTPParseFailure {
        .badTarget("The target has a character that must be percent-encoded (byte \(byte)).")
    }

    private static func isDotSegment(_ segment: Substring.UTF8View.SubSequence) -> Bool {
        segment.elementsEqual(".".utf8) || segment.elementsEqual("..".utf8)
    }

    private static func decodePath(_ text: Substring) throws(HTTPParseFailure) -> String {
        let bytes = try percentDecoded(text.utf8) { byte in
            !ASCII.isControl(byte) && byte != ASCII.slash && byte != UInt8(ascii: "\\")
        }
        for (index, byte) in bytes.enumerated() where byte == ASCII.percent && index + 2 < bytes.count {
            if ASCII.hexValue(bytes[index + 1]) != nil, ASCII.hexValue(bytes[index + 2]) != nil {
                throw .badTarget("The path is percent-encoded twice.")
            }
        }
        return try validText(bytes)
    }

    private static func decodeQuery(_ text: Substring) throws(HTTPParseFailure) -> [(name: String, value: String)] {
        var parameters: [(name: String, value: String)] = []
        for part in text.utf8.split(separator: UInt8(ascii: "&")) {
            let equals = part.firstIndex(of: UInt8(ascii: "="))
            let name = try decodeQueryText(part[..<(equals ?? part.endIndex)])
            let value = try decodeQueryText(equals.map { part[part.index(after: $0)...] } ?? part[part.endIndex...])
            parameters.append((name, value))
        }
        return parameters
    }

    private static func decodeQueryText(_ text: Substring.UTF8View) throws(HTTPParseFailure) -> String {
        if !text.contains(where: { $0 == ASCII.percent || $0 == UInt8(ascii: "+") }) { return String(Substring(text)) }
        let spaced = text.map { $0 == UInt8(ascii: "+") ? ASCII.space : $0 }
        return try validText(try percentDecoded(spaced) { $0 != 0 })
    }

    /// Decodes every escape, each of which must give a byte that `allows` accepts.
    private static func percentDecoded(
        _ text: some Collection<UInt8>, allows: (UInt8) -> Bool
    ) throws(HTTPParseFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var iterator = text.makeIterator()
        while let byte = iterator.next() {
            guard byte == ASCII.percent else {
                bytes.append(byte)
                continue
            }
            guard let high = iterator.next().flatMap(ASCII.hexValue), let low = iterator.next().flatMap(ASCII.hexValue)
            else { throw .badTarget("A percent sign must be followed by two hexadecimal digits.") }
            let decoded = high << 4 | low
            guard allows(decoded) else { throw .badTarget("The target has an escape that is not allowed there.") }
            bytes.append(decoded)
        }
        return bytes
    }

    private static func validText(_ bytes: [UInt8]) throws(HTTPParseFailure) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .badTarget("The target is not UTF-8 after decoding.")
        }
        return text
    }
}
