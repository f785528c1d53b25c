import JSON

func utf8(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

func canonicalText(_ text: String) throws -> String { utf8(JSON.canonical(try JSON.parse(text))) }

/// What the parser holds against these bytes; nil if it takes them.
func refusal(_ bytes: [UInt8], limits: JSONLimits = .standard) -> JSONError? {
    do {
        _ = try JSON.parse(bytes, limits: limits)
        return nil
    } catch {
        return error
    }
}

func refusal(_ text: String, limits: JSONLimits = .standard) -> JSONError? { refusal(Array(text.utf8), limits: limits) }

/// What the decoder holds against this text; nil if it takes it.
func shapeError<T: Decodable>(_ type: T.Type, _ text: String) throws -> JSONShapeError? {
    do {
        _ = try JSON.decode(type, from: Array(text.utf8))
        return nil
    } catch let error as JSONShapeError {
        return error
    }
}

/// SplitMix64: the same values for the same seed, everywhere.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

extension SeededGenerator {
    mutating func oneIn(_ count: Int) -> Bool { Int.random(in: 0..<count, using: &self) == 0 }

    /// Any value the parser may give: no NUL, no number beyond ±(2^53 − 1), no key twice.
    mutating func value(depth: Int = 4) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 9 : 6), using: &self) {
        case 0: .null
        case 1: .bool(oneIn(2))
        case 2: .integer(Int64.random(in: -9_007_199_254_740_991...9_007_199_254_740_991, using: &self))
        case 3: .integer(Int64.random(in: -12...12, using: &self))
        case 4: JSONValue(number: fraction())
        case 5: .string(text())
        case 6, 7: .object(object(depth: depth - 1))
        default: .array((0..<Int.random(in: 0...5, using: &self)).map { _ in value(depth: depth - 1) })
        }
    }

    /// Now and then more members than are compared pairwise.
    mutating func object(depth: Int) -> JSONObject {
        let count = oneIn(8) ? 40 : Int.random(in: 0...5, using: &self)
        return JSONObject((0..<count).map { _ in (text(), value(depth: depth)) })
    }

    mutating func fraction() -> Double {
        while true {
            let number = Double(bitPattern: next())
            if number.isFinite, abs(number) <= JSON.integerMagnitudeMax { return number }
        }
    }

    /// Plain letters, all that must be escaped, and scalars of every UTF-8 length on both sides of the surrogates.
    mutating func text() -> String {
        let alphabet: [Unicode.Scalar] = [
            "a", "b", "Z", "0", " ", "/", "\\", "\"", "\u{1}", "\u{8}", "\t", "\n", "\u{B}", "\u{C}", "\r", "\u{1F}",
            "\u{7F}", "\u{80}", "é", "e", "\u{301}", "\u{7FF}", "\u{800}", "\u{2028}", "€", "\u{D7FF}", "\u{E000}",
            "\u{FB33}", "\u{FEFF}", "\u{FFFF}", "\u{10000}", "😀", "\u{10FFFF}",
        ]
        var text = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0...(oneIn(4) ? 40 : 8), using: &self) {
            text.append(oneIn(2) ? "x" : alphabet.randomElement(using: &self)!)
        }
        return String(text)
    }

    /// The same value with the members of every object in another order.
    mutating func shuffled(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(let object):
            let pairs = object.map { ($0.key, shuffled($0.value)) }
            return .object(JSONObject(pairs.shuffled(using: &self)))
        case .array(let values): return .array(values.map { shuffled($0) })
        default: return value
        }
    }
}
