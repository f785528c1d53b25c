/// Our JSON: strict RFC 8259 in, exact integers, RFC 8785 out where it is hashed.
package enum JSON {
    /// 2^53 − 1: the largest integer that every JSON implementation reads alike (RFC 8259, 6).
    package static let integerMagnitudeMax = 9_007_199_254_740_991.0

    package static func parse(_ bytes: [UInt8], limits: JSONLimits = .standard) throws(JSONError) -> JSONValue {
        var result: Result<JSONValue, JSONError>?
        bytes.withUnsafeBufferPointer { buffer in
            do throws(JSONError) {
                result = .success(try JSONParser.parse(buffer, limits: limits))
            } catch {
                result = .failure(error)
            }
        }
        return try result!.get()
    }

    package static func parse(_ text: String, limits: JSONLimits = .standard) throws(JSONError) -> JSONValue {
        try parse(Array(text.utf8), limits: limits)
    }

    /// Reads a typed value.
    /// - Throws: ``JSONError`` if the bytes are no JSON, ``JSONShapeError`` if it is of another shape.
    package static func decode<T: Decodable>(
        _ type: T.Type, from bytes: [UInt8], limits: JSONLimits = .standard
    ) throws -> T {
        try decode(type, from: parse(bytes, limits: limits))
    }

    /// - Throws: ``JSONShapeError``
    package static func decode<T: Decodable>(_ type: T.Type, from value: JSONValue) throws -> T {
        try JSONTreeDecoder.decode(type, from: value)
    }

    /// Writes a typed value: members in the order they are declared, in snake_case.
    /// - Throws: ``JSONShapeError`` for what our parser would not take back: NUL, numbers beyond ±(2^53 − 1).
    package static func encode<T: Encodable>(_ value: T, nulls: JSONNulls = .omit) throws -> [UInt8] {
        try JSONByteEncoder.encode(value, nulls: nulls, isCanonical: false)
    }

    /// The typed value as a tree.
    package static func value<T: Encodable>(of value: T, nulls: JSONNulls = .omit) throws -> JSONValue {
        try parse(encode(value, nulls: nulls), limits: ownLimits)
    }

    /// RFC 8785: the bytes that are hashed. A tree made by hand is written as it is, even if no parser would take it.
    package static func canonical(_ value: JSONValue) -> [UInt8] {
        var writer = JSONWriter()
        writer.value(value, sorted: true)
        return writer.bytes
    }

    /// RFC 8785 of a typed value; nil members are left out.
    package static func canonical<T: Encodable>(encoding value: T) throws -> [UInt8] {
        try JSONByteEncoder.encode(value, nulls: .omit, isCanonical: true)
    }

    /// Compact, members in their order.
    package static func write(_ value: JSONValue) -> [UInt8] {
        var writer = JSONWriter()
        writer.value(value)
        return writer.bytes
    }

    /// Indented by two spaces, for people.
    package static func pretty(_ value: JSONValue) -> String { pretty(value, indent: "") }

    private static func pretty(_ value: JSONValue, indent: String) -> String {
        let inner = indent + "  "
        switch value {
        case .array(let values) where !values.isEmpty:
            let lines = values.map { inner + pretty($0, indent: inner) }
            return "[\n\(lines.joined(separator: ",\n"))\n\(indent)]"
        case .object(let object) where !object.isEmpty:
            let lines = object.map { key, value in
                inner + String(decoding: write(.string(key)), as: UTF8.self) + ": " + pretty(value, indent: inner)
            }
            return "{\n\(lines.joined(separator: ",\n"))\n\(indent)}"
        default:
            return String(decoding: write(value), as: UTF8.self)
        }
    }

    /// For what we have written ourselves.
    private static let ownLimits: JSONLimits = {
        var limits = JSONLimits()
        (limits.bytesMax, limits.valuesMax, limits.depthMax) = (.max, .max, 256)
        return limits
    }()
}

/// What becomes of a member that is nil.
package enum JSONNulls: Sendable {
    /// It is not there.
    case omit
    /// It is `null`.
    case write
}

extension JSONValue {
    /// ``JSON/write(_:)``
    package var jsonBytes: [UInt8] { JSON.write(self) }
}
