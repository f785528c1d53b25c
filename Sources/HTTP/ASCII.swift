/// The characters that the grammar of HTTP speaks of.
enum ASCII {
    static let tab = UInt8(ascii: "\t")
    static let lineFeed = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
    static let space = UInt8(ascii: " ")
    static let percent = UInt8(ascii: "%")
    static let slash = UInt8(ascii: "/")
    static let colon = UInt8(ascii: ":")
    static let comma = UInt8(ascii: ",")

    /// A set of ASCII characters as one bit each.
    struct CharacterSet: Sendable {
        private let low: UInt64
        private let high: UInt64

        init(_ members: StaticString, alphanumerics: Bool = true) {
            var low: UInt64 = 0
            var high: UInt64 = 0
            func add(_ byte: UInt8) {
                if byte < 64 { low |= 1 << UInt64(byte) } else { high |= 1 << UInt64(byte & 63) }
            }
            members.withUTF8Buffer { $0.forEach(add) }
            if alphanumerics { (0..<128).filter { ASCII.isAlphanumeric($0) }.forEach(add) }
            (self.low, self.high) = (low, high)
        }

        @inline(__always)
        func contains(_ byte: UInt8) -> Bool {
            byte < 64 ? low >> UInt64(byte) & 1 == 1 : byte < 128 && high >> UInt64(byte & 63) & 1 == 1
        }
    }

    /// RFC 9110 `tchar`.
    static let token = CharacterSet("!#$%&'*+-.^_`|~")
    /// RFC 3986 `unreserved`: what never needs percent-encoding.
    static let unreserved = CharacterSet("-._~")

    static func isAlphanumeric(_ byte: UInt8) -> Bool { isDigit(byte) || isLetter(byte) }
    static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
    static func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }

    static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - 48
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - 87
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - 55
        default: nil
        }
    }

    static let upperHexDigits: [UInt8] = Array("0123456789ABCDEF".utf8)

    @inline(__always)
    static func lowercased(_ byte: UInt8) -> UInt8 { byte &- 65 < 26 ? byte | 0x20 : byte }

    static func lowercased(_ text: String) -> String {
        text.utf8.contains { $0 &- 65 < 26 } ? String(decoding: text.utf8.map { lowercased($0) }, as: UTF8.self) : text
    }

    /// Whether `text` is `lowercase` in any case.
    static func equal(_ text: ArraySlice<UInt8>, _ lowercase: StaticString) -> Bool {
        guard text.count == lowercase.utf8CodeUnitCount else { return false }
        return lowercase.withUTF8Buffer { pattern in
            var index = text.startIndex
            for byte in pattern {
                if lowercased(text[index]) != byte { return false }
                index += 1
            }
            return true
        }
    }

    static func isOptionalWhitespace(_ byte: UInt8) -> Bool { byte == space || byte == tab }

    static func isControl(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x7F }

    /// Without the spaces and tabs around it.
    static func trimmed<Text: BidirectionalCollection<UInt8>>(_ text: Text) -> Text.SubSequence {
        var slice = text[...]
        while let first = slice.first, isOptionalWhitespace(first) { slice.removeFirst() }
        while let last = slice.last, isOptionalWhitespace(last) { slice.removeLast() }
        return slice
    }

    /// The decimal digits of a number, nothing else; nil also when it is above 2^53 (what every JSON reader can hold).
    static func decimal(_ text: some Sequence<UInt8>) -> Int? {
        var value: Int?
        for byte in text {
            guard isDigit(byte) else { return nil }
            let next = (value ?? 0) * 10 + Int(byte - 48)
            guard next <= 1 << 53 else { return nil }
            value = next
        }
        return value
    }
}

extension [UInt8] {
    /// Appends a number in decimal digits.
    mutating func append(decimal number: Int) {
        if number < 0 { return append(contentsOf: String(number).utf8) }
        var digits: (UInt64, Int) = (UInt64(number), 1)
        var scale: UInt64 = 1
        while digits.0 / scale >= 10 { scale *= 10; digits.1 += 1 }
        for _ in 0..<digits.1 {
            append(UInt8(48 + digits.0 / scale % 10))
            scale /= 10
        }
    }
}
