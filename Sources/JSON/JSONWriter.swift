/// Writes JSON piece by piece; commas are put where they belong.
package struct JSONWriter: Sendable {
    package var bytes: [UInt8] = []
    private var needsComma = false

    package init(reserving count: Int = 256) { bytes.reserveCapacity(count) }

    package mutating func beginObject() { open(UInt8(ascii: "{")) }
    package mutating func endObject() { close(UInt8(ascii: "}")) }
    package mutating func beginArray() { open(UInt8(ascii: "[")) }
    package mutating func endArray() { close(UInt8(ascii: "]")) }

    /// A key that needs no escaping.
    package mutating func key(_ key: StaticString) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: UnsafeBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount))
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    package mutating func key(_ key: String) {
        string(key)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    package mutating func null() { literal("null") }
    package mutating func bool(_ value: Bool) { value ? literal("true") : literal("false") }

    package mutating func integer(_ value: Int64) {
        separate()
        if value >= 0, value < 10 {
            bytes.append(UInt8(ascii: "0") + UInt8(value))
        } else {
            var text = String(value)
            text.withUTF8 { bytes.append(contentsOf: $0) }
        }
    }

    /// ECMA-262 Number::toString, as RFC 8785 asks for.
    package mutating func number(_ value: Double) {
        separate()
        var text = ECMAScriptNumber.text(value)
        text.withUTF8 { bytes.append(contentsOf: $0) }
    }

    package mutating func string(_ text: String) {
        separate()
        var text = text
        text.withUTF8 { quote($0) }
    }

    /// JSON that is written already.
    package mutating func raw(_ json: some Collection<UInt8>) {
        separate()
        bytes.append(contentsOf: json)
    }

    package mutating func value(_ value: JSONValue, sorted: Bool = false) {
        switch value {
        case .null: null()
        case .bool(let value): bool(value)
        case .integer(let value): integer(value)
        case .number(let value): number(value)
        case .string(let value): string(value)
        case .array(let values):
            beginArray()
            for element in values { self.value(element, sorted: sorted) }
            endArray()
        case .object(let object):
            beginObject()
            let members = sorted ? object.sorted { CanonicalOrder.precedes($0.key, $1.key) } : Array(object)
            for (key, member) in members {
                self.key(key)
                self.value(member, sorted: sorted)
            }
            endObject()
        }
    }

    /// Puts the comma that the next value needs.
    mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    /// The next value stands first, whatever was written before.
    mutating func restart() { needsComma = false }

    private mutating func literal(_ text: StaticString) {
        separate()
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private mutating func open(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }

    /// RFC 8785, 3.2.2.2: only what must be escaped is, in its shortest form.
    private mutating func quote(_ text: UnsafeBufferPointer<UInt8>) {
        bytes.append(UInt8(ascii: "\""))
        var plainAt = 0
        for (index, byte) in text.enumerated() where byte < 0x20 || byte == 0x22 || byte == 0x5C {
            bytes.append(contentsOf: text[plainAt..<index])
            plainAt = index + 1
            bytes.append(UInt8(ascii: "\\"))
            switch byte {
            case 0x08: bytes.append(UInt8(ascii: "b"))
            case 0x09: bytes.append(UInt8(ascii: "t"))
            case 0x0A: bytes.append(UInt8(ascii: "n"))
            case 0x0C: bytes.append(UInt8(ascii: "f"))
            case 0x0D: bytes.append(UInt8(ascii: "r"))
            case 0x22, 0x5C: bytes.append(byte)
            default:
                let digits = Array("0123456789abcdef".utf8)
                bytes += [0x75, 0x30, 0x30, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        bytes.append(contentsOf: text[plainAt...])
        bytes.append(UInt8(ascii: "\""))
    }
}

/// The order of keys in RFC 8785: by UTF-16 code units.
enum CanonicalOrder {
    static func precedes(_ left: String, _ right: String) -> Bool {
        // UTF-8 and UTF-16 order differ only where surrogates meet U+E000 … U+FFFF.
        left.utf8.allSatisfy { $0 < 0x80 } && right.utf8.allSatisfy { $0 < 0x80 }
            ? left < right : left.utf16.lexicographicallyPrecedes(right.utf16)
    }
}

/// ECMA-262 6.1.6.1.20: the shortest digits that read back as the same number (Swift finds them), laid out as
/// JavaScript does.
enum ECMAScriptNumber {
    static func text(_ value: Double) -> String {
        precondition(value.isFinite, "JSON has no infinity and no NaN")
        if value == 0 { return "0" }
        let sign = value < 0 ? "-" : ""
        let (digits, point) = decimal(abs(value).description)
        let count = digits.count
        if count <= point, point <= 21 { return sign + digits + String(repeating: "0", count: point - count) }
        if 0 < point, point <= 21 { return sign + digits.prefix(point) + "." + digits.dropFirst(point) }
        if -6 < point, point <= 0 { return sign + "0." + String(repeating: "0", count: -point) + digits }
        let exponent = point - 1
        let mantissa = count == 1 ? digits : digits.prefix(1) + "." + digits.dropFirst()
        return sign + mantissa + (exponent < 0 ? "e-" : "e+") + String(abs(exponent))
    }

    /// The digits without zeros at either end, and where the point stands: value = 0.digits × 10^point.
    private static func decimal(_ description: String) -> (digits: String, point: Int) {
        let parts = description.split(separator: "e")
        let exponent = parts.count == 2 ? Int(parts[1])! : 0
        let halves = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        let fraction = halves.count == 2 ? halves[1] : ""
        let all = String(halves[0]) + fraction
        let leading = all.prefix { $0 == "0" }.count
        var digits = String(all.dropFirst(leading))
        while digits.last == "0" { digits.removeLast() }
        return (digits, halves[0].count + exponent - leading)
    }
}
