/// An absolute URL of a server: `http://host:port/path?query`.
package struct HTTPURL: Sendable, Hashable {
    package enum Scheme: String, Sendable {
        case http, https
        package var port: UInt16 { self == .http ? 80 : 443 }
    }

    /// Something that is not such a URL: a sentence that says why.
    package struct Failure: Error, Hashable, CustomStringConvertible {
        package var description: String
    }

    package let scheme: Scheme
    /// A name in lower case, an IPv4 address, or an IPv6 address without the brackets.
    package let host: String
    package let port: UInt16
    /// Path and query, at least `/`.
    package let target: HTTPTarget

    /// Strict: no user info, no fragment, no characters that need encoding, an explicit port between 1 and 65535.
    package init(_ text: String) throws(Failure) {
        guard let separator = text.utf8.firstIndex(of: ASCII.colon),
            let scheme = Scheme(rawValue: ASCII.lowercased(String(text[..<separator]))),
            text[separator...].utf8.starts(with: "://".utf8)
        else { throw Failure(description: "The URL must begin with http:// or https://.") }
        let rest = text.utf8[text.utf8.index(separator, offsetBy: 3)...]
        let authorityEnd = rest.firstIndex { $0 == ASCII.slash || $0 == UInt8(ascii: "?") } ?? rest.endIndex
        guard let authority = HTTPAuthority(rest[..<authorityEnd]) else {
            throw Failure(description: "The URL must name a host and perhaps a port, without user and password.")
        }
        let path = String(Substring(rest[authorityEnd...]))
        do throws(HTTPParseFailure) {
            target = try HTTPTarget(path.utf8.first == ASCII.slash ? path : "/" + path)
        } catch { throw Failure(description: "The URL has a bad path or query: \(error.detail)") }
        self.scheme = scheme
        host = authority.host
        port = authority.port ?? scheme.port
    }

    /// What the `Host` field says: the port only when it is not the scheme's.
    package var hostField: String {
        let name = host.utf8.contains(ASCII.colon) ? "[\(host)]" : host
        return port == scheme.port ? name : "\(name):\(port)"
    }
}

/// `host` or `host:port`, as in a `Host` field.
package struct HTTPAuthority: Sendable, Hashable {
    /// A name in lower case, an IPv4 address, or an IPv6 address without the brackets.
    package let host: String
    package let port: UInt16?

    private static let nameBytesMax = 253
    private static let nameCharacters = ASCII.CharacterSet("-._")

    /// Nil when it is not exactly that.
    package init?(_ text: String) { self.init(text.utf8) }

    init?(_ text: some BidirectionalCollection<UInt8>) {
        guard let first = text.first else { return nil }
        let hostEnd: Int
        let bytes = Array(text)
        if first == UInt8(ascii: "[") {
            guard let close = bytes.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            let inner = bytes[1..<close]
            guard Self.isIPv6(inner) else { return nil }
            host = ASCII.lowercased(String(decoding: inner, as: UTF8.self))
            hostEnd = close + 1
        } else {
            hostEnd = bytes.firstIndex(of: ASCII.colon) ?? bytes.count
            let name = bytes[..<hostEnd]
            guard (1...Self.nameBytesMax).contains(name.count), name.allSatisfy(Self.nameCharacters.contains) else {
                return nil
            }
            host = ASCII.lowercased(String(decoding: name, as: UTF8.self))
        }
        if hostEnd == bytes.count {
            port = nil
            return
        }
        guard bytes[hostEnd] == ASCII.colon, bytes.count - hostEnd - 1 <= 5,
            let number = ASCII.decimal(bytes[(hostEnd + 1)...]), (1...65535).contains(number)
        else { return nil }
        port = UInt16(number)
    }

    /// Groups of one to four hexadecimal digits, at most one gap, perhaps an IPv4 tail; no zone.
    private static func isIPv6(_ text: ArraySlice<UInt8>) -> Bool {
        var parts = text.split(separator: ASCII.colon, omittingEmptySubsequences: false)
        guard (3...9).contains(parts.count) else { return false }
        var groups = 0
        if let last = parts.last, last.contains(UInt8(ascii: ".")) {
            guard isIPv4(last) else { return false }
            parts.removeLast()
            groups = 2
        }
        // An outer gap shows as two empty parts at that end, an inner one as one.
        var gaps = 0
        if parts[0].isEmpty {
            guard parts[1].isEmpty else { return false }
            parts.removeFirst()
        }
        if groups == 0, parts[parts.count - 1].isEmpty {
            guard parts.count >= 2, parts[parts.count - 2].isEmpty else { return false }
            parts.removeLast()
        }
        for part in parts {
            if part.isEmpty {
                gaps += 1
            } else {
                guard part.count <= 4, part.allSatisfy({ ASCII.hexValue($0) != nil }) else { return false }
                groups += 1
            }
        }
        return gaps == 0 ? groups == 8 : gaps == 1 && groups <= 7
    }

    private static func isIPv4(_ text: ArraySlice<UInt8>) -> Bool {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { (1...3).contains($0.count) && (ASCII.decimal($0) ?? 256) < 256 }
    }
}
