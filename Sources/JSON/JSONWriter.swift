/// Writes JSON piece by piece; commas are put where they belong.
package struct JSONWriter: Sendable {
    package var bytes: [UInt8] = []
    /// What our parser would hold against the first value that it would not take back; nil if it takes all.
    private(set) var fault: StaticString?
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
        if Double(value.magnitude) > JSON.integerMagnitudeMax { note(Self.outOfRange) }
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
        if abs(value) > JSON.integerMagnitudeMax { note(Self.outOfRange) }
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
            for (key, member) in sorted ? object.inCanonicalOrder : object {
                self.key(key)
                self.value(member, sorted: sorted)
            }
            endObject()
        }
    }

    /// Ends a document of a stream of documents: the next one begins on a line of its own.
    package mutating func endLine() {
        bytes.append(UInt8(ascii: "\n"))
        needsComma = false
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

    private mutating func note(_ fault: StaticString) { self.fault = self.fault ?? fault }

    static let outOfRange: StaticString = "expected a number between -9007199254740991 and 9007199254740991"
    private static let containsNUL: StaticString = "expected text without NUL"

    /// RFC 8785, 3.2.2.2: only what must be escaped is, in its shortest form.
    private mutating func quote(_ text: UnsafeBufferPointer<UInt8>) {
        bytes.append(UInt8(ascii: "\""))
        var at = 0
        while true {
            let end = PlainText.end(in: text, from: at)
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[at..<end]))
            if end == text.count { break }
            escape(text[end])
            at = end + 1
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func escape(_ byte: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case 0x08: bytes.append(UInt8(ascii: "b"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0C: bytes.append(UInt8(ascii: "f"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        case 0x22, 0x5C: bytes.append(byte)
        default:
            if byte == 0 { note(Self.containsNUL) }
            bytes += [0x75, 0x30, 0x30, 0x30 + byte >> 4, Self.hexDigit(byte & 15)]
        }
    }

    private static func hexDigit(_ digit: UInt8) -> UInt8 { digit < 10 ? 0x30 + digit : 0x61 + digit - 10 }
}

/// The stretches of a string that stand in JSON as they are.
enum PlainText {
    /// Where the first byte stands that must be escaped or ends the string: a control, `"` or `\`.
    static func end(in text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        var at = start
        // Eight bytes at once: `special` has the high bit of the first such byte set, and none below it.
        while at + 8 <= text.count {
            let word = UInt64(
                littleEndian: UnsafeRawPointer(text.baseAddress! + at).loadUnaligned(as: UInt64.self))
            let special = lows(word, 0x20) | zeros(word ^ each(0x22)) | zeros(word ^ each(0x5C))
            if special != 0 { return at + special.trailingZeroBitCount / 8 }
            at += 8
        }
        while at < text.count, text[at] >= 0x20, text[at] != 0x22, text[at] != 0x5C { at += 1 }
        return at
    }

    @inline(__always)
    private static func each(_ byte: UInt64) -> UInt64 { byte &* 0x0101_0101_0101_0101 }

    /// The bytes below a bound of at most 0x80. Borrows may only mark bytes above the first that is rightly marked.
    @inline(__always)
    private static func lows(_ word: UInt64, _ bound: UInt64) -> UInt64 {
        (word &- each(bound)) & ~word & each(0x80)
    }

    @inline(__always)
    private static func zeros(_ word: UInt64) -> UInt64 { lows(word, 1) }
}

/// The order of keys in RFC 8785: by UTF-16 code units.
enum CanonicalOrder {
    static func precedes(_ left: String, _ right: String) -> Bool {
        let (left, right) = (left.utf8.span, right.utf8.span)
        var at = 0
        while at < left.count, at < right.count, left[at] == right[at] { at += 1 }
        guard at < left.count, at < right.count else { return left.count < right.count }
        // UTF-8 orders as UTF-16 does, but for surrogates (from 0xF0): they come before U+E000 … U+FFFF (0xEE, 0xEF).
        let (isLeftPair, isRightPair) = (left[at] >= 0xF0, right[at] >= 0xF0)
        guard isLeftPair != isRightPair, min(left[at], right[at]) >= 0xEE else { return left[at] < right[at] }
        return isLeftPair
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
