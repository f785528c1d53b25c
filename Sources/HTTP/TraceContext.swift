/// Where a request stands in a trace: W3C Trace Context Level 1, `traceparent` and `tracestate`.
package struct TraceContext: Hashable, Sendable {
    /// 32 lower-case hexadecimal digits, not all zero: the same for all that one cause brings about.
    package var traceID: String
    /// The caller's span: 16 lower-case hexadecimal digits, not all zero.
    package var parentID: String
    package var isSampled: Bool
    /// What vendors keep, as it came; nil where there is none or it is malformed. To be passed on unchanged.
    package var state: String?

    /// Members that `tracestate` may have.
    package static let stateMembersMax = 32

    /// Nil when there is no `traceparent`, several, or a malformed one: then the trace begins anew.
    package init?(_ fields: HTTPFields) {
        let parents = fields.all(.traceparent)
        guard parents.count == 1, let parent = parents.first else { return nil }
        self.init(traceparent: parent)
        let lists = fields.all(.tracestate)
        if !lists.isEmpty { state = Self.state(lists.joined(separator: ",")) }
    }

    /// Reads `version-traceid-parentid-flags`. Of a version we do not know, the first four parts count (3.2.4).
    package init?(traceparent: String) {
        let parts = traceparent.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 4, let version = Self.hex(parts[0], 2), version != "ff",
            parts.count == 4 || version != "00",
            let traceID = Self.hex(parts[1], 32), traceID.contains(where: { $0 != "0" }),
            let parentID = Self.hex(parts[2], 16), parentID.contains(where: { $0 != "0" }),
            let flags = Self.hex(parts[3], 2), let bits = UInt8(flags, radix: 16)
        else { return nil }
        (self.traceID, self.parentID, isSampled) = (traceID, parentID, bits & 1 == 1)
    }

    /// What the next hop is told, from a span of ours.
    /// - Parameter spanID: 16 lower-case hexadecimal digits.
    package func traceparent(from spanID: String) -> String {
        "00-\(traceID)-\(spanID)-\(isSampled ? "01" : "00")"
    }

    private static func hex(_ text: Substring, _ digits: Int) -> String? {
        let isHex = text.utf8.allSatisfy { ASCII.isDigit($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0) }
        return text.utf8.count == digits && isHex ? String(text) : nil
    }

    /// The list if every member is `key=value` by the grammar and no key is there twice (3.3.1).
    private static func state(_ text: String) -> String? {
        let members = text.split(separator: ",").map(trimmed).filter { !$0.isEmpty }
        guard !members.isEmpty, members.count <= stateMembersMax else { return nil }
        var keys: Set<Substring> = []
        for member in members {
            guard let equals = member.firstIndex(of: "=") else { return nil }
            let (key, value) = (member[..<equals], member[member.index(after: equals)...])
            guard isKey(key), isValue(value), keys.insert(key).inserted else { return nil }
        }
        return text
    }

    private static func isKey(_ key: Substring) -> Bool {
        let parts = key.split(separator: "@", omittingEmptySubsequences: false)
        let limits = parts.count == 1 ? [256] : [241, 14]
        guard parts.count == limits.count else { return false }
        return zip(parts, limits).enumerated().allSatisfy { place, pair in
            let (part, bytesMax) = pair
            guard let first = part.utf8.first, part.utf8.count <= bytesMax else { return false }
            let mayBeginWithDigit = parts.count == 2 && place == 0
            return (isLower(first) || mayBeginWithDigit && ASCII.isDigit(first))
                && part.utf8.allSatisfy { isLower($0) || ASCII.isDigit($0) || "_-*/".utf8.contains($0) }
        }
    }

    private static func isValue(_ value: Substring) -> Bool {
        (1...256).contains(value.utf8.count) && value.utf8.last != ASCII.space
            && value.utf8.allSatisfy { (0x20...0x7E).contains($0) && $0 != ASCII.comma && $0 != UInt8(ascii: "=") }
    }

    private static func isLower(_ byte: UInt8) -> Bool { byte &- 97 < 26 }

    private static func trimmed(_ text: Substring) -> Substring {
        let isBlank = { (character: Character) in character == " " || character == "\t" }
        let head = text.drop(while: isBlank)
        let end = head.lastIndex { !isBlank($0) }.map { head.index(after: $0) } ?? head.startIndex
        return head[..<end]
    }
}
