/// What a client would like to get, and how much: the value of `Accept` (RFC 9110, 12.5.1).
///
/// Elements that are malformed are passed over, as the RFC allows; a field in which nothing is left is no field.
package struct AcceptedMediaTypes: Sendable {
    /// Elements that are looked at; the rest of a longer list says nothing new.
    private static let rangesMax = 64

    /// One element: `type/subtype`, `type/*` or `*/*`, with its parameters and its weight.
    private struct Range {
        var type: Substring
        var subtype: Substring
        var parameters: Set<String> = []
        /// In thousandths.
        var weight = 1000

        /// How exactly the range names the offer: 0 for `*/*`; nil when it does not.
        func precision(for offer: Offer) -> Int? {
            if type == "*" { return 0 }
            guard type == offer.type else { return nil }
            if subtype == "*" { return 1 }
            guard subtype == offer.subtype, parameters.isSubset(of: offer.parameters) else { return nil }
            return 2 + parameters.count
        }
    }

    /// A media type that can be had.
    private struct Offer {
        var type: Substring
        var subtype: Substring
        var parameters: Set<String>
    }

    private let ranges: [Range]

    /// - Parameter fields: The values of all `Accept` fields of a request.
    package init(_ fields: [String]) {
        ranges = fields.flatMap { FieldList.elements($0) }.prefix(Self.rangesMax).compactMap(Self.range)
    }

    /// The offer that the client wants most: by weight, then by how exactly it asked for it, then by the order of the
    /// offers, which is the server's. Nil when none is acceptable; the first when the client says nothing.
    /// - Parameter offers: Media types in lower case, such as `application/json`.
    package func best(of offers: [String]) -> String? {
        guard !ranges.isEmpty else { return offers.first }
        var best: (offer: String, weight: Int, precision: Int)?
        for name in offers {
            guard let offer = Self.offer(name), let (weight, precision) = judgement(of: offer), weight > 0 else {
                continue
            }
            if best.map({ (weight, precision) > ($0.weight, $0.precision) }) ?? true {
                best = (name, weight, precision)
            }
        }
        return best?.offer
    }

    /// The most exact range that fits decides.
    private func judgement(of offer: Offer) -> (weight: Int, precision: Int)? {
        ranges.compactMap { range in range.precision(for: offer).map { (range.weight, $0) } }.max { $0.1 < $1.1 }
    }

    private static func offer(_ text: String) -> Offer? {
        range(text[...]).map {
            // JSON is UTF-8 and says so nowhere: who asks for it by name gets it.
            Offer(type: $0.type, subtype: $0.subtype, parameters: $0.parameters.union(["charset=utf-8"]))
        }
    }

    private static func range(_ element: Substring) -> Range? {
        var pieces = FieldList.elements(element, separatedBy: ";")[...]
        guard let name = pieces.popFirst()?.lowercased(), let slash = name.utf8.firstIndex(of: ASCII.slash) else {
            return nil
        }
        var range = Range(type: name[..<slash], subtype: name[name.index(after: slash)...])
        guard isName(range.type), isName(range.subtype), range.type != "*" || range.subtype == "*" else { return nil }
        for piece in pieces {
            let parts = piece.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { return nil }
            let key = parts[0].lowercased()
            if key == "q" {
                guard let weight = weight(parts[1]) else { return nil }
                range.weight = weight
                // What follows the weight belongs to no media type.
                break
            }
            range.parameters.insert("\(key)=\(FieldList.unquoted(parts[1]).lowercased())")
        }
        return range
    }

    private static func isName(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { ASCII.token.contains($0) }
    }

    /// `0` to `1` with at most three decimals, in thousandths.
    private static func weight(_ text: Substring) -> Int? {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts[0] == "0" || parts[0] == "1" else { return nil }
        var decimals = parts.count == 2 ? String(parts[1]) : ""
        guard decimals.utf8.count <= 3, decimals.utf8.allSatisfy(ASCII.isDigit) else { return nil }
        while decimals.utf8.count < 3 { decimals += "0" }
        guard let thousandths = Int(decimals) else { return nil }
        if parts[0] == "0" { return thousandths }
        return thousandths == 0 ? 1000 : nil
    }
}

/// Lists in the values of fields (RFC 9110, 5.6): separators inside quoted strings do not count.
enum FieldList {
    /// The elements without the blanks around them; empty ones are left out.
    static func elements(_ text: some StringProtocol, separatedBy separator: Character = ",") -> [Substring] {
        let bytes = Array(text.utf8)
        let mark = separator.asciiValue ?? ASCII.comma
        var elements: [Substring] = []
        var (start, at, isQuoted) = (0, 0, false)
        func take() {
            let element = ASCII.trimmed(bytes[start..<at])
            if !element.isEmpty { elements.append(Substring(decoding: element, as: UTF8.self)) }
        }
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "\""): isQuoted.toggle()
            case UInt8(ascii: "\\") where isQuoted: at += 1
            case mark where !isQuoted:
                take()
                start = at + 1
            default: break
            }
            at += 1
        }
        at = bytes.count
        take()
        return elements
    }

    /// What a quoted string says; a token says itself.
    static func unquoted(_ text: Substring) -> String {
        guard text.utf8.count >= 2, text.first == "\"", text.last == "\"" else { return String(text) }
        var isEscaped = false
        return String(
            text.dropFirst().dropLast().filter { character in
                if character == "\\", !isEscaped {
                    isEscaped = true
                    return false
                }
                isEscaped = false
                return true
            })
    }
}
