package import JSON

/// A body that says what its members may be: checked when the body is decoded, and printed as its schema.
package protocol RuledBody {
    static var rules: [FieldRule] { get }
}

/// What one member of a body may be, beyond its type.
package struct FieldRule: Hashable, Sendable {
    package enum Bound: Hashable, Sendable {
        /// Trimmed length of a text in bytes of UTF-8.
        case bytes(max: Int)
        /// Number of an array's items, and the bytes of each if it is a text.
        case items(max: Int, bytesMax: Int)
        /// One of these words.
        case choice([String])
        case integer(ClosedRange<Int64>)
        case object
    }

    /// The name on the wire.
    package var name: String
    /// What a missing, null or blank member is refused with; nil where it may be missing.
    package var missing: ReasonCode?
    package var bound: Bound
    /// What a member beyond the bound is refused with.
    package var refusal: ReasonCode

    private init(_ name: String, missing: ReasonCode?, _ bound: Bound, _ refusal: ReasonCode) {
        (self.name, self.missing, self.bound, self.refusal) = (name, missing, bound, refusal)
    }

    /// A text that must be there and not blank.
    package static func required(
        _ name: String, _ missing: ReasonCode = .missingField, bytesMax: Int, _ refusal: ReasonCode = .invalidField
    ) -> FieldRule {
        FieldRule(name, missing: missing, .bytes(max: bytesMax), refusal)
    }

    package static func text(_ name: String, bytesMax: Int, _ refusal: ReasonCode = .invalidField) -> FieldRule {
        FieldRule(name, missing: nil, .bytes(max: bytesMax), refusal)
    }

    package static func list(_ name: String, itemsMax: Int, bytesMax: Int = Limits.nameBytesMax) -> FieldRule {
        FieldRule(name, missing: nil, .items(max: itemsMax, bytesMax: bytesMax), .invalidField)
    }

    package static func choice(
        _ name: String, _ words: [String], _ refusal: ReasonCode = .invalidField, missing: ReasonCode? = nil
    ) -> FieldRule {
        FieldRule(name, missing: missing, .choice(words), refusal)
    }

    package static func integer(
        _ name: String, _ range: ClosedRange<Int64>, _ refusal: ReasonCode = .invalidField, missing: ReasonCode? = nil
    ) -> FieldRule {
        FieldRule(name, missing: missing, .integer(range), refusal)
    }

    package static func object(
        _ name: String, _ refusal: ReasonCode = .invalidField, missing: ReasonCode? = nil
    ) -> FieldRule {
        FieldRule(name, missing: missing, .object, refusal)
    }

    /// - Throws: The first refusal, with the member's name among its facts.
    package static func check(_ rules: [FieldRule], _ body: JSONObject) throws(Rejection) {
        for rule in rules { try rule.check(body[rule.name]) }
    }

    private func check(_ value: JSONValue?) throws(Rejection) {
        guard let value, !value.isNull else {
            if let missing { throw .field(name, missing, "\(name) is required") }
            return
        }
        switch (bound, value) {
        case (.bytes(let most), .string(let text)):
            guard Limits.trimmed(text) != nil || missing == nil else {
                throw .field(name, missing ?? refusal, "\(name) is required and must not be blank")
            }
            if text.utf8.count > most { throw tooLong(text.utf8.count, most) }
        case (.items(let most, let bytesMax), .array(let items)):
            guard items.count <= most else {
                throw .field(name, refusal, "\(name): expected at most \(most), found \(items.count)")
            }
            for case .string(let text) in items where text.utf8.count > bytesMax {
                throw tooLong(text.utf8.count, bytesMax)
            }
        case (.choice(let words), .string(let text)):
            guard words.contains(text) else {
                throw Rejection(
                    refusal, "\(name): expected one of \(words.joined(separator: ", ")), found '\(text.prefix(100))'",
                    details: ["field": .string(name), "allowed": .array(words.map { .string($0) })])
            }
        case (.integer(let range), .integer(let number)):
            guard range.contains(number) else {
                throw .field(
                    name, refusal,
                    "\(name): expected \(range.lowerBound) to \(range.upperBound), found \(number)")
            }
        case (.integer, .number): throw .field(name, refusal, "\(name): expected a whole number, found a fraction")
        case (.object, .object): break
        case (.object, _):
            throw .field(name, refusal, "\(name): expected an object, found \(value.kindName)")
        // What is of another type is refused by the decoding that follows, in the words of the type.
        default: break
        }
    }

    private func tooLong(_ found: Int, _ most: Int) -> Rejection {
        .field(name, refusal, "\(name): expected at most \(most) bytes, found \(found)")
    }
}
