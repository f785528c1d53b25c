/// A value as a database holds it.
package enum SQLValue: Hashable, Sendable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    /// Text that is at hand as UTF-8 bytes.
    case utf8([UInt8])
    case blob([UInt8])
    /// Microseconds since 1970-01-01T00:00:00Z, and the same as RFC 3339 text: a database keeps the one or the other. One
    /// that has a type for times leaves the text empty when it gives it back.
    case time(microseconds: Int64, text: String)
}

/// What can be bound to a statement and read back from a row.
package protocol SQLStorable: SendableMetatype {
    /// What a column of such values is made of.
    static var columnKind: ColumnKind { get }
    var sqlValue: SQLValue { get }
    /// - Throws: ``DatabaseError`` if the stored value is not one of this type.
    init(sqlValue: SQLValue) throws
}

extension SQLStorable {
    package static var columnKind: ColumnKind { .text }
}

/// What a column holds. Each database has its own type for it.
package enum ColumnKind: Sendable {
    case text, integer, real, boolean, time, json, blob

    package func type(on backend: Backend) -> String {
        switch backend {
        case .sqlite:
            switch self {
            case .text, .time, .json: "TEXT"
            case .integer, .boolean: "INTEGER"
            case .real: "REAL"
            case .blob: "BLOB"
            }
        case .postgres:
            switch self {
            // Sorted by its bytes, as SQLite does: the order of lists must not depend on a server's locale.
            case .text: "TEXT COLLATE \"C\""
            case .integer: "BIGINT"
            case .real: "DOUBLE PRECISION"
            case .boolean: "BOOLEAN"
            case .time: "TIMESTAMPTZ"
            case .json: "JSONB"
            case .blob: "BYTEA"
            }
        }
    }
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

    /// Adds a piece that the program decided on at run time, such as one more condition. The pieces number their values
    /// from 1; here they go on from ours.
    package mutating func append(_ other: SQL) {
        text += SQL.renumbered(other.text, by: bindings.count)
        bindings += other.bindings
    }

    /// The text with every `$n` outside quotes moved up.
    private static func renumbered(_ text: String, by offset: Int) -> String {
        var result: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            result.append(byte)
            if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
                let quoted = rest.prefix { $0 != byte }
                result += quoted
                rest = rest.dropFirst(quoted.count)
                if let end = rest.popFirst() { result.append(end) }
            } else if byte == UInt8(ascii: "$") {
                let digits = rest.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
                guard let number = Int(String(decoding: digits, as: UTF8.self)) else { continue }
                result += String(number + offset).utf8
                rest = rest.dropFirst(digits.count)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    package struct Interpolation: StringInterpolationProtocol {
        fileprivate var text = ""
        fileprivate var bindings: [SQLValue] = []

        package init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity + 16) }

        package mutating func appendLiteral(_ literal: String) { text += literal }

        package mutating func appendInterpolation(_ value: (some SQLStorable)?) { bind(value?.sqlValue ?? .null) }

        /// A list for `IN (…)`. An empty one is `NULL`, which nothing is in: not every database reads `IN ()`.
        package mutating func appendInterpolation(list values: [some SQLStorable]) {
            if values.isEmpty { text += "NULL" }
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
    package static var columnKind: ColumnKind { .integer }
    package var sqlValue: SQLValue { .integer(self) }
    package init(sqlValue: SQLValue) throws {
        guard case .integer(let value) = sqlValue else {
            throw DatabaseError.unexpectedValue(expected: "an integer", found: sqlValue)
        }
        self = value
    }
}

extension Int: SQLStorable {
    package static var columnKind: ColumnKind { .integer }
    package var sqlValue: SQLValue { .integer(Int64(self)) }
    package init(sqlValue: SQLValue) throws { self = Int(try Int64(sqlValue: sqlValue)) }
}

extension Bool: SQLStorable {
    package static var columnKind: ColumnKind { .boolean }
    package var sqlValue: SQLValue { .integer(self ? 1 : 0) }
    package init(sqlValue: SQLValue) throws { self = try Int64(sqlValue: sqlValue) != 0 }
}

extension Double: SQLStorable {
    package static var columnKind: ColumnKind { .real }
    package var sqlValue: SQLValue { .real(self) }
    package init(sqlValue: SQLValue) throws {
        guard case .real(let value) = sqlValue else {
            throw DatabaseError.unexpectedValue(expected: "a real", found: sqlValue)
        }
        self = value
    }
}

extension [UInt8]: SQLStorable {
    package static var columnKind: ColumnKind { .blob }
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
    package static var columnKind: ColumnKind { Wrapped.columnKind }
    package var sqlValue: SQLValue { self?.sqlValue ?? .null }
    package init(sqlValue: SQLValue) throws { self = sqlValue == .null ? nil : try Wrapped(sqlValue: sqlValue) }
}
