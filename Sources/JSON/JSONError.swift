/// Text that is not the JSON we take: what was wrong, and where.
package struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Raw values are reason codes on the wire.
    package enum Kind: String, CaseIterable, Sendable {
        case invalidJSON = "invalid_json"
        case tooDeep = "json_too_deep"
        case duplicateKey = "duplicate_key"
        case invalidUTF8 = "invalid_utf8"
        /// NUL or a lone surrogate: neither can be stored.
        case invalidString = "invalid_string"
        case numberOutOfRange = "number_out_of_range"
        case tooLarge = "payload_too_large"
    }

    package var kind: Kind
    /// What was expected and what was found.
    package var detail: String
    /// From 1.
    package var line: Int
    /// From 1, in bytes of UTF-8.
    package var column: Int
    /// From 0, in bytes.
    package var offset: Int

    init(_ kind: Kind, _ detail: String, at offset: Int, in bytes: UnsafeBufferPointer<UInt8>) {
        (self.kind, self.detail, self.offset) = (kind, detail, offset)
        let before = bytes.prefix(offset)
        line = 1 + before.count { $0 == UInt8(ascii: "\n") }
        column = 1 + (before.lastIndex(of: UInt8(ascii: "\n")).map { offset - $0 - 1 } ?? offset)
    }

    package var description: String { "\(detail) at line \(line), column \(column)" }
}

/// JSON that is well formed and not of the shape that was asked for.
package struct JSONShapeError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        case missing
        case wrongType(expected: String, found: String)
        case invalid(String)
    }

    /// RFC 6901, with the names on the wire.
    package var pointer: String
    package var kind: Kind

    package init(_ pointer: String, _ kind: Kind) { (self.pointer, self.kind) = (pointer, kind) }

    package var description: String {
        let place = pointer.isEmpty ? "the document" : pointer
        return switch kind {
        case .missing: "\(place) is missing"
        case .wrongType(let expected, let found): "\(place): expected \(expected), found \(found)"
        case .invalid(let detail): "\(place): \(detail)"
        }
    }
}

extension JSONShapeError {
    /// What came up inside the value at this key or index, seen from outside. Values do not know where they stand:
    /// each level adds its token while the error passes through, so that success costs nothing.
    static func within(_ token: String, _ error: any Error) -> any Error {
        switch error {
        case let error as JSONShapeError:
            JSONShapeError("/" + JSONPointer.escape(token) + error.pointer, error.kind)
        case let error as DecodingError:
            within(token, JSONShapeError(error))
        default:
            error
        }
    }

    /// What came up inside a nested container, at this way from the value that is being read.
    static func within(_ path: [any CodingKey], _ error: any Error) -> any Error {
        path.reversed().reduce(error) { within(JSONKey.onWire($1), $0) }
    }
}

/// How much JSON is taken.
package struct JSONLimits: Sendable, Hashable {
    package var bytesMax = 1 << 20
    package var depthMax = 64
    package var valuesMax = 200_000

    package init() {}

    package static let standard = JSONLimits()
}
