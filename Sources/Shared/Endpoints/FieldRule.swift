package import JSON

/// A body that says what its members may be: checked when the body is read, and printed as its schema.
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
        /// Anything of the member's type.
        case any
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

    /// A member of any type that must be there.
    package static func present(_ name: String, _ missing: ReasonCode = .missingField) -> FieldRule {
        FieldRule(name, missing: missing, .any, missing)
    }

    /// Reads the body: what is there must be within its bounds, and of its type; then nothing may be missing.
    /// - Throws: ``Rejection`` with the member's name among its facts, or the decoding's own error.
    package static func read<Body: Decodable>(_ type: Body.Type, _ value: JSONValue) throws -> Body {
        guard let ruled = Body.self as? any RuledBody.Type, let members = value.objectValue else {
            return try JSON.decode(type, from: value)
        }
        for rule in ruled.rules { try rule.checkBound(members[rule.name]) }
        let body = try JSON.decode(type, from: value)
        for rule in ruled.rules { try rule.checkPresence(members[rule.name]) }
        return body
    }

    private func checkPresence(_ value: JSONValue?) throws(Rejection) {
        guard let missing else { return }
        guard let value, !value.isNull else { throw .field(name, missing, "\(name) is required") }
        if case .string(let text) = value, Limits.trimmed(text) == nil {
            throw .field(name, missing, "\(name) is required and must not be blank")
        }
    }

    private func checkBound(_ value: JSONValue?) throws(Rejection) {
        guard let value, !value.isNull else { return }
        switch (bound, value) {
        case (.bytes(let most), .string(let text)):
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
