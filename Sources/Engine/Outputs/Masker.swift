/// Replaces secrets wherever they show: as they are, and in the forms in which programs print them.
package struct Masker: Sendable {
    package static let mark = Array("***".utf8)
    /// Shorter ones would mask half of every text.
    package static let secretBytesMin = 4
    /// Lines of a secret of several lines are masked one by one from this length on.
    private static let lineBytesMin = 8
    private static let encodedBytesMin = 6

    /// By their first byte, longest first.
    private let patterns: [[[UInt8]]]
    /// The longest pattern: what a stream has to hold back.
    package let longest: Int

    package init(_ secrets: [String]) {
        var forms: Set<[UInt8]> = []
        for secret in secrets where secret.utf8.count >= Self.secretBytesMin {
            forms.formUnion(Self.forms(of: Array(secret.utf8)))
            for line in secret.split(whereSeparator: \.isNewline) where line.utf8.count >= Self.lineBytesMin {
                forms.formUnion(Self.forms(of: Array(line.utf8)))
            }
        }
        var buckets = [[[UInt8]]](repeating: [], count: 256)
        for form in forms.sorted(by: { $0.count > $1.count }) { buckets[Int(form[0])].append(form) }
        patterns = buckets
        longest = forms.map(\.count).max() ?? 0
    }

    package var isEmpty: Bool { longest == 0 }

    package func masked(_ text: String) -> String {
        if isEmpty { return text }
        let bytes = Array(text.utf8)
        let (clean, _) = mask(bytes, holdingBack: 0)
        return clean == bytes ? text : String(decoding: clean, as: UTF8.self)
    }

    package func masked(_ bytes: [UInt8]) -> [UInt8] { isEmpty ? bytes : mask(bytes, holdingBack: 0).clean }

    /// Masks what is complete; the last `holdingBack` bytes are looked at only together with what comes next.
    func mask(_ bytes: [UInt8], holdingBack: Int) -> (clean: [UInt8], rest: [UInt8]) {
        var clean: [UInt8] = []
        clean.reserveCapacity(bytes.count)
        var index = 0
        let end = bytes.count - holdingBack
        while index < end {
            if let length = match(bytes, at: index) {
                clean += Self.mark
                index += length
            } else {
                clean.append(bytes[index])
                index += 1
            }
        }
        return (clean, Array(bytes[min(index, bytes.count)...]))
    }

    private func match(_ bytes: [UInt8], at index: Int) -> Int? {
        for pattern in patterns[Int(bytes[index])] where bytes.count - index >= pattern.count {
            if bytes[index..<index + pattern.count].elementsEqual(pattern) { return pattern.count }
        }
        return nil
    }

    // MARK: Forms

    private static func forms(of secret: [UInt8]) -> Set<[UInt8]> {
        var forms: Set<[UInt8]> = [secret, hex(secret, "0123456789abcdef"), hex(secret, "0123456789ABCDEF")]
        forms.insert(percentEncoded(secret, upper: true))
        forms.insert(percentEncoded(secret, upper: false))
        forms.insert(percentEncoded(secret, upper: true, plus: true))
        forms.insert(jsonEscaped(secret))
        for alphabet in [standard, urlSafe] {
            for offset in 0..<3 {
                let form = base64(secret, after: offset, alphabet)
                if form.count >= encodedBytesMin { forms.insert(form) }
            }
        }
        return forms
    }

    private static let standard = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let urlSafe = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// The characters of base64 that depend on the secret alone, when `offset` other bytes stand before it.
    private static func base64(_ secret: [UInt8], after offset: Int, _ alphabet: [UInt8]) -> [UInt8] {
        let bytes = [UInt8](repeating: 0, count: offset) + secret
        var text: [UInt8] = []
        var bits = 0
        var count = 0
        for byte in bytes {
            bits = (bits << 8 | Int(byte)) & 0xFFFF
            count += 8
            while count >= 6 {
                count -= 6
                text.append(alphabet[bits >> count & 63])
            }
        }
        return Array(text.dropFirst((offset * 8 + 5) / 6))
    }

    private static func hex(_ secret: [UInt8], _ digits: String) -> [UInt8] {
        let digits = Array(digits.utf8)
        return secret.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }

    private static func percentEncoded(_ secret: [UInt8], upper: Bool, plus: Bool = false) -> [UInt8] {
        let digits = Array((upper ? "0123456789ABCDEF" : "0123456789abcdef").utf8)
        return secret.flatMap { byte -> [UInt8] in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                [byte]
            case UInt8(ascii: " ") where plus: [UInt8(ascii: "+")]
            default: [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
    }

    private static func jsonEscaped(_ secret: [UInt8]) -> [UInt8] {
        secret.flatMap { byte -> [UInt8] in
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): [UInt8(ascii: "\\"), byte]
            case UInt8(ascii: "\n"): Array("\\n".utf8)
            case UInt8(ascii: "\t"): Array("\\t".utf8)
            case UInt8(ascii: "\r"): Array("\\r".utf8)
            default: [byte]
            }
        }
    }
}
