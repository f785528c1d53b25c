/// A value as a database holds it.
package enum SQLValue: Hashable, Sendable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    /// Text that is at hand as UTF-8 bytes.
    case utf8([UInt8])
    case blob([UInt8])
}

/// What can be bound to a statement and read back from a row.
package protocol SQLStorable: SendableMetatype {
    var sqlValue: SQLValue { get }
    /// - Throws: ``DatabaseError`` if the stored value is not one of this type.
    init(sqlValue: SQLValue) throws
}

/// A statement whose interpolated values are bound, never spliced into its text.
package struct SQL: ExpressibleByStringInterpolation, Sendable {
    /// With `$1`, `$2` … where values go, which SQLite and Postgres both read.
    package private(set) var text: String
    package private(set) var bindings: [SQLValue]

    package init(stringLiteral text: String) { (self.text, bindings) = (text, []) }
    package init(stringInterpolation: Interpolation) {
        (text, bindings) = (stringInterpolation.text, stringInterpolation.bindings)
    }

    /// A statement from text that the code itself made (column names, never a value from outside).
    package init(unsafeText text: String, bindings: [SQLValue] = []) { (self.text, self.bindings) = (text, bindings) }

    /// Adds a piece that the program decided on at run time, such as one more condition.
    package mutating func append(_ other: SQL) {
        var next = bindings.count + 1
        var rest = other.text[...]
        // The pieces number their values from 1; here they go on from ours.
        for index in other.bindings.indices {
            let mark = "$\(index + 1)"
            guard let found = rest.firstRange(of: mark) else { preconditionFailure("\(mark) is not in the statement") }
            text += rest[..<found.lowerBound] + "$\(next)"
            rest = rest[found.upperBound...]
            next += 1
        }
        text += rest
        bindings += other.bindings
    }

    package struct Interpolation: StringInterpolationProtocol {
        fileprivate var text = ""
        fileprivate var bindings: [SQLValue] = []

        package init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity + 16) }

        package mutating func appendLiteral(_ literal: String) { text += literal }

        package mutating func appendInterpolation(_ value: (some SQLStorable)?) { bind(value?.sqlValue ?? .null) }

        /// A list for `IN (…)`.
        package mutating func appendInterpolation(list values: [some SQLStorable]) {
            for (index, value) in values.enumerated() {
                if index > 0 { text += ", " }
                bind(value.sqlValue)
            }
        }

        private mutating func bind(_ value: SQLValue) {
            bindings.append(value)
            text += "$\(bindings.count)"
        }
    }
}

extension String: SQLStorable {
    package var sqlValue: SQLValue { .text(self) }
    package init(sqlValue: SQLValue) throws {
        switch sqlValue {
        case .text(let text): self = text
        case .utf8(let bytes): self = String(decoding: bytes, as: UTF8.self)
        default: throw DatabaseError.unexpectedValue(expected: "text", found: sqlValue)
        }
    }
}

extension Int64: SQLStorable {
    package var sqlValue: SQLValue { .integer(self) }
    package init(sqlValue: SQLValue) throws {
        guard case .integer(let value) = sqlValue else {
            throw DatabaseError.unexpectedValue(expected: "an integer", found: sqlValue)
        }
        self = value
    }
}

extension Int: SQLStorable {
    package var sqlValue: SQLValue { .integer(Int64(self)) }
    package init(sqlValue: SQLValue) throws { self = Int(try Int64(sqlValue: sqlValue)) }
}

extension Bool: SQLStorable {
    package var sqlValue: SQLValue { .integer(self ? 1 : 0) }
    package init(sqlValue: SQLValue) throws { self = try Int64(sqlValue: sqlValue) != 0 }
}

extension [UInt8]: SQLStorable {
    package var sqlValue: SQLValue { .blob(self) }
    package init(sqlValue: SQLValue) throws {
        switch sqlValue {
        case .blob(let bytes), .utf8(let bytes): self = bytes
        case .text(let text): self = Array(text.utf8)
        default: throw DatabaseError.unexpectedValue(expected: "bytes", found: sqlValue)
        }
    }
}

extension Optional: SQLStorable where Wrapped: SQLStorable {
    package var sqlValue: SQLValue { self?.sqlValue ?? .null }
    package init(sqlValue: SQLValue) throws { self = sqlValue == .null ? nil : try Wrapped(sqlValue: sqlValue) }
}
