/// Reads strict RFC 8259 from UTF-8 bytes, once, from left to right.
struct JSONParser {
    private let bytes: UnsafeBufferPointer<UInt8>
    private let limits: JSONLimits
    private var at = 0
    private var depth = 0
    private var values = 0

    static func parse(_ bytes: UnsafeBufferPointer<UInt8>, limits: JSONLimits) throws(JSONError) -> JSONValue {
        guard bytes.count <= limits.bytesMax else {
            throw JSONError(
                .tooLarge, "expected at most \(limits.bytesMax) bytes, found \(bytes.count)", at: 0, in: bytes)
        }
        var parser = JSONParser(bytes: bytes, limits: limits)
        parser.skipSpace()
        let value = try parser.value()
        parser.skipSpace()
        guard parser.at == bytes.count else { throw parser.unexpected("the end of the document") }
        return value
    }

    private init(bytes: UnsafeBufferPointer<UInt8>, limits: JSONLimits) { (self.bytes, self.limits) = (bytes, limits) }

    // MARK: Values

    private mutating func value() throws(JSONError) -> JSONValue {
        values += 1
        guard values <= limits.valuesMax else { throw error(.tooLarge, "more than \(limits.valuesMax) values") }
        switch peek {
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "{"): return .object(try object())
        case UInt8(ascii: "["): return .array(try array())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"): return try number()
        case let byte? where isDigit(byte): return try number()
        default: throw unexpected("a value")
        }
    }

    private mutating func enter() throws(JSONError) {
        depth += 1
        guard depth <= limits.depthMax else { throw error(.tooDeep, "more than \(limits.depthMax) levels") }
        at += 1
        skipSpace()
    }

    /// True if the closing bracket stands here.
    private mutating func leave(_ bracket: Unicode.Scalar) -> Bool {
        guard take(bracket) else { return false }
        depth -= 1
        return true
    }

    private mutating func object() throws(JSONError) -> JSONObject {
        try enter()
        var object = JSONObject()
        if leave("}") { return object }
        var known: Set<String> = []
        while true {
            let keyAt = at
            guard peek == UInt8(ascii: "\"") else { throw unexpected("a key in quotes") }
            let key = try string()
            let isKnown: Bool
            if object.count < JSONObject.scannedMax {
                isKnown = object.index(of: key) != nil
            } else {
                if known.isEmpty { known = Set(object.keys) }
                isKnown = !known.insert(key).inserted
            }
            if isKnown { throw JSONError(.duplicateKey, "the key \(quoted(key)) stands twice", at: keyAt, in: bytes) }
            skipSpace()
            guard take(":") else { throw unexpected("a colon") }
            skipSpace()
            object.append(key, try value())
            skipSpace()
            if leave("}") { return object }
            guard take(",") else { throw unexpected("a comma or }") }
            skipSpace()
        }
    }

    private mutating func array() throws(JSONError) -> [JSONValue] {
        try enter()
        var array: [JSONValue] = []
        if leave("]") { return array }
        while true {
            array.append(try value())
            skipSpace()
            if leave("]") { return array }
            guard take(",") else { throw unexpected("a comma or ]") }
            skipSpace()
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        let end = at + word.utf8CodeUnitCount
        guard end <= bytes.count, (at..<end).allSatisfy({ bytes[$0] == word.utf8Start[$0 - at] }) else {
            throw unexpected("\(word)")
        }
        at = end
        return value
    }

    // MARK: Numbers

    private mutating func number() throws(JSONError) -> JSONValue {
        let start = at
        let isNegative = take("-")
        let digitsAt = at
        if !take("0") {
            guard skipDigits() else { throw unexpected("a digit") }
        } else if let next = peek, isDigit(next) {
            throw unexpected("no digit after a leading zero")
        }
        let integerEnd = at
        var isInteger = true
        if take(".") {
            isInteger = false
            guard skipDigits() else { throw unexpected("a digit after the point") }
        }
        if take("e") || take("E") {
            isInteger = false
            if !take("+") { _ = take("-") }
            guard skipDigits() else { throw unexpected("a digit in the exponent") }
        }
        // 16 digits hold every integer we take and overflow nothing.
        if isInteger, integerEnd - digitsAt <= 16 {
            let magnitude = bytes[digitsAt..<integerEnd].reduce(Int64(0)) { $0 * 10 + Int64($1 - 48) }
            guard Double(magnitude) <= JSON.integerMagnitudeMax else { throw outOfRange(from: start) }
            return .integer(isNegative ? -magnitude : magnitude)
        }
        let text = String(decoding: bytes[start..<at], as: UTF8.self)
        guard !isInteger, let number = Double(text), abs(number) <= JSON.integerMagnitudeMax else {
            throw outOfRange(from: start)
        }
        return JSONValue(number: number)
    }

    private func outOfRange(from start: Int) -> JSONError {
        JSONError(
            .numberOutOfRange, "expected a number between -9007199254740991 and 9007199254740991", at: start, in: bytes)
    }

    /// False if there is none.
    private mutating func skipDigits() -> Bool {
        let start = at
        while let byte = peek, isDigit(byte) { at += 1 }
        return at > start
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }

    // MARK: Strings

    private mutating func string() throws(JSONError) -> String {
        at += 1
        // Most strings are plain: find the end, validate once, copy once.
        var text = try plain()
        while !take("\"") {
            guard peek == UInt8(ascii: "\\") else {
                throw peek == nil
                    ? error(.invalidJSON, "expected the end of a string, found the end of the document")
                    : error(.invalidJSON, "a control character in a string must be escaped")
            }
            text.unicodeScalars.append(try escape())
            if let next = peek, next != UInt8(ascii: "\"") { text += try plain() }
        }
        return text
    }

    private mutating func plain() throws(JSONError) -> String {
        let start = at
        at = PlainText.end(in: bytes, from: start)
        let part = UnsafeBufferPointer(rebasing: bytes[start..<at])
        do throws(UTF8.ValidationError) {
            return String(copying: try UTF8Span(validating: part.span))
        } catch {
            throw JSONError(
                .invalidUTF8, "the string is not UTF-8", at: start + error.byteOffsets.lowerBound, in: bytes)
        }
    }

    private mutating func escape() throws(JSONError) -> Unicode.Scalar {
        let start = at
        at += 1
        guard let letter = peek else { throw unexpected("an escape") }
        at += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(letter)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): break
        default:
            at -= 1
            throw unexpected("one of \" \\ / b f n r t u after a backslash")
        }
        let first = try hexUnit()
        if first == 0 { throw JSONError(.invalidString, "NUL cannot be stored", at: start, in: bytes) }
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, take("\\"), take("u") else { throw loneSurrogate(at: start) }
        let second = try hexUnit()
        guard (0xDC00...0xDFFF).contains(second) else { throw loneSurrogate(at: start) }
        return Unicode.Scalar(0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00))!
    }

    private func loneSurrogate(at start: Int) -> JSONError {
        JSONError(.invalidString, "a lone surrogate is no character", at: start, in: bytes)
    }

    private mutating func hexUnit() throws(JSONError) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let byte = peek, let digit = hexDigit(byte) else { throw unexpected("four hexadecimal digits") }
            unit = unit << 4 | digit
            at += 1
        }
        return unit
    }

    private func hexDigit(_ byte: UInt8) -> UInt16? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt16(byte) - 0x30
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt16(byte) - 0x61 + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt16(byte) - 0x41 + 10
        default: nil
        }
    }

    // MARK: Bytes

    private var peek: UInt8? { at < bytes.count ? bytes[at] : nil }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard at < bytes.count, bytes[at] == UInt8(ascii: character) else { return false }
        at += 1
        return true
    }

    private mutating func skipSpace() {
        while at < bytes.count {
            switch bytes[at] {
            case 0x20, 0x09, 0x0A, 0x0D: at += 1
            default: return
            }
        }
    }

    private func error(_ kind: JSONError.Kind, _ detail: String) -> JSONError {
        JSONError(kind, detail, at: at, in: bytes)
    }

    private func unexpected(_ expected: String) -> JSONError {
        let found =
            switch peek {
            case nil: "the end of the document"
            case let byte? where byte > 0x20 && byte < 0x7F: quoted(String(Unicode.Scalar(byte)))
            case let byte?: "byte 0x\(String(byte, radix: 16))"
            }
        return error(.invalidJSON, "expected \(expected), found \(found)")
    }

    private func quoted(_ text: String) -> String { "'\(String(text.unicodeScalars.prefix(60)))'" }
}
