import JSON

/// A name from a plan for a sentence: short, on one line, in quotes.
func quoted(_ name: String) -> String {
    let scalarsMax = 64
    var text = ""
    for scalar in name.unicodeScalars.prefix(scalarsMax) {
        text.unicodeScalars.append(scalar.value < 0x20 || scalar.value == 0x7F ? "\u{FFFD}" : scalar)
    }
    return name.unicodeScalars.count > scalarsMax ? "\"\(text)…\"" : "\"\(text)\""
}

/// What kind of value was found, for a sentence. Says no content of strings: it may be secret.
func described(_ value: JSONValue) -> String {
    switch value {
    case .null: "null"
    case .bool(let flag): flag ? "true" : "false"
    case .integer(let number): "the number \(number)"
    case .number(let number): "the number \(number)"
    case .string(let text): text.isEmpty ? "an empty string" : "a string of \(text.utf8.count) bytes"
    case .array(let elements): elements.isEmpty ? "an empty array" : "an array of \(elements.count)"
    case .object(let members): members.isEmpty ? "an empty object" : "an object"
    }
}

/// A list of alternatives for a sentence.
func listed(_ names: [String]) -> String { names.joined(separator: ", ") }

func canonicalText(_ value: JSONValue) -> String { String(decoding: JSON.canonical(value), as: UTF8.self) }

extension UInt8 {
    var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
    var isLowerLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) }
    var isUpperLetter: Bool { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) }
    var isLetter: Bool { isLowerLetter || isUpperLetter }
    /// Below space, or delete.
    var isControl: Bool { self < 0x20 || self == 0x7F }
}
