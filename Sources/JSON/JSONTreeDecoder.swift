/// Reads typed values out of a tree by the standard library's `Decodable`.
///
/// No value knows where it stands: an error gets its pointer on its way out, token by token.
struct JSONTreeDecoder: Decoder {
    let value: JSONValue
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    /// - Throws: ``JSONShapeError``, or what an `init(from:)` throws of its own.
    static func decode<T: Decodable>(_ type: T.Type, from value: JSONValue) throws -> T {
        do {
            return try unwrap(type, value)
        } catch let error as DecodingError {
            throw JSONShapeError(error)
        }
    }

    /// The types that need no container are read at once.
    fileprivate static func unwrap<T: Decodable>(_ type: T.Type, _ value: JSONValue) throws -> T {
        if T.self == JSONValue.self { return value as! T }
        if T.self == String.self { return try value.asString() as! T }
        if T.self == JSONObject.self { return try value.asObject() as! T }
        if T.self == JSONRaw.self { return JSONRaw(JSON.canonical(value)) as! T }
        return try T(from: JSONTreeDecoder(value: value))
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(KeyedReader(object: try value.asObject()))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { UnkeyedReader(values: try value.asArray()) }
    func singleValueContainer() -> any SingleValueDecodingContainer { SingleReader(value: value) }
}

extension JSONShapeError {
    /// Longer texts of others are cut: they repeat what was found.
    private static let detailScalarsMax = 200

    /// What synthesized and hand-written `init(from:)` throw, as our own error.
    init(_ error: DecodingError) {
        switch error {
        case .keyNotFound(let key, let context): self.init(Self.pointer(context.codingPath + [key]), .missing)
        case .valueNotFound(_, let context): self.init(Self.pointer(context.codingPath), .missing)
        case .typeMismatch(_, let context), .dataCorrupted(let context):
            let detail = String(context.debugDescription.unicodeScalars.prefix(Self.detailScalarsMax))
            self.init(Self.pointer(context.codingPath), .invalid(detail))
        @unknown default: self.init("", .invalid("\(error)"))
        }
    }

    /// The way from the value that is being read, which is empty but in nested containers.
    fileprivate static func pointer(_ path: [any CodingKey]) -> String {
        path.reduce(into: "") { text, key in text += "/" + JSONPointer.escape(JSONKey.onWire(key)) }
    }
}

extension JSONValue {
    fileprivate func mismatch(_ expected: String) -> JSONShapeError {
        JSONShapeError("", .wrongType(expected: expected, found: kindName))
    }

    fileprivate func asBool() throws -> Bool {
        guard case .bool(let value) = self else { throw mismatch("true or false") }
        return value
    }

    fileprivate func asString() throws -> String {
        guard case .string(let value) = self else { throw mismatch("a string") }
        return value
    }

    fileprivate func asDouble() throws -> Double {
        guard let value = doubleValue else { throw mismatch("a number") }
        return value
    }

    fileprivate func asInteger<T: FixedWidthInteger>() throws -> T {
        guard case .integer(let value) = self else { throw mismatch("an integer") }
        guard let exact = T(exactly: value) else {
            throw JSONShapeError("", .invalid("expected \(T.min) … \(T.max), found \(value)"))
        }
        return exact
    }

    fileprivate func asArray() throws -> [JSONValue] {
        guard case .array(let value) = self else { throw mismatch("an array") }
        return value
    }

    fileprivate func asObject() throws -> JSONObject {
        guard case .object(let value) = self else { throw mismatch("an object") }
        return value
    }
}

private struct ElementKey: CodingKey {
    let index: Int
    var intValue: Int? { index }
    var stringValue: String { String(index) }
    init(_ index: Int) { self.index = index }
    init?(intValue: Int) { self.init(intValue) }
    init?(stringValue: String) { return nil }
}

private final class KeyedReader<Key: CodingKey>: KeyedDecodingContainerProtocol {
    private let object: JSONObject
    let codingPath: [any CodingKey]
    /// Where the last member was found: the next one mostly stands behind it.
    private var at = 0

    init(object: JSONObject, codingPath: [any CodingKey] = []) { (self.object, self.codingPath) = (object, codingPath) }

    /// Swift names cannot be told from snake_case: only the keys that are the same in both are found here. That is
    /// all keys of dictionaries, and the cases of an enum with payloads as long as they have no capitals.
    var allKeys: [Key] { object.compactMap { Key(stringValue: $0.key) } }

    private func find(_ key: Key) -> JSONValue? {
        guard let index = object.index(of: JSONKey.onWire(key), from: at) else { return nil }
        at = index
        return object[at: index]
    }

    private func read<T>(_ key: Key, _ body: (JSONValue) throws -> T) throws -> T {
        do {
            guard let value = find(key) else { throw JSONShapeError("", .missing) }
            return try body(value)
        } catch {
            throw located(error, key)
        }
    }

    private func readIfPresent<T>(_ key: Key, _ body: (JSONValue) throws -> T) throws -> T? {
        guard let value = find(key), !value.isNull else { return nil }
        do {
            return try body(value)
        } catch {
            throw located(error, key)
        }
    }

    private func located(_ error: any Error, _ key: Key) -> any Error {
        JSONShapeError.within(codingPath, JSONShapeError.within(JSONKey.onWire(key), error))
    }

    func contains(_ key: Key) -> Bool { find(key) != nil }
    func decodeNil(forKey key: Key) -> Bool { find(key)?.isNull ?? true }

    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try read(key) { try $0.asBool() } }
    func decode(_ type: String.Type, forKey key: Key) throws -> String { try read(key) { try $0.asString() } }
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try read(key) { try $0.asDouble() } }
    func decode(_ type: Float.Type, forKey key: Key) throws -> Float { try read(key) { Float(try $0.asDouble()) } }
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try read(key) { try $0.asInteger() } }
    func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try read(key) { try $0.asInteger() } }
    func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try read(key) { try $0.asInteger() } }
    func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try read(key) { try $0.asInteger() } }
    func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try read(key) { try $0.asInteger() } }
    func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try read(key) { try $0.asInteger() } }
    func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try read(key) { try $0.asInteger() } }
    func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try read(key) { try $0.asInteger() } }
    func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try read(key) { try $0.asInteger() } }
    func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try read(key) { try $0.asInteger() } }
    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        try read(key) { try JSONTreeDecoder.unwrap(type, $0) }
    }

    // The other types come by the protocol's own way: contains, decodeNil, decode.
    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? {
        try readIfPresent(key) { try $0.asBool() }
    }
    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? {
        try readIfPresent(key) { try $0.asString() }
    }
    func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? {
        try readIfPresent(key) { try $0.asInteger() }
    }
    func decodeIfPresent(_ type: Int64.Type, forKey key: Key) throws -> Int64? {
        try readIfPresent(key) { try $0.asInteger() }
    }
    func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
        try readIfPresent(key) { try JSONTreeDecoder.unwrap(type, $0) }
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        try read(key) {
            KeyedDecodingContainer(KeyedReader<Nested>(object: try $0.asObject(), codingPath: codingPath + [key]))
        }
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try read(key) { UnkeyedReader(values: try $0.asArray(), codingPath: codingPath + [key]) }
    }

    func superDecoder() -> any Decoder { unsupported() }
    func superDecoder(forKey key: Key) -> any Decoder { unsupported() }
}

private struct UnkeyedReader: UnkeyedDecodingContainer {
    private let values: [JSONValue]
    let codingPath: [any CodingKey]
    private(set) var currentIndex = 0

    init(values: [JSONValue], codingPath: [any CodingKey] = []) {
        (self.values, self.codingPath) = (values, codingPath)
    }

    var count: Int? { values.count }
    var isAtEnd: Bool { currentIndex == values.count }

    private mutating func next<T>(_ read: (JSONValue) throws -> T) throws -> T {
        do {
            guard !isAtEnd else { throw JSONShapeError("", .missing) }
            let result = try read(values[currentIndex])
            currentIndex += 1
            return result
        } catch {
            throw JSONShapeError.within(codingPath, JSONShapeError.within(String(currentIndex), error))
        }
    }

    mutating func decodeNil() -> Bool {
        guard !isAtEnd, values[currentIndex].isNull else { return false }
        currentIndex += 1
        return true
    }

    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T { try next { try JSONTreeDecoder.unwrap(type, $0) } }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> {
        let path = codingPath + [ElementKey(currentIndex)]
        return try next { KeyedDecodingContainer(KeyedReader(object: try $0.asObject(), codingPath: path)) }
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        let path = codingPath + [ElementKey(currentIndex)]
        return try next { UnkeyedReader(values: try $0.asArray(), codingPath: path) }
    }

    func superDecoder() -> any Decoder { unsupported() }
}

private struct SingleReader: SingleValueDecodingContainer {
    let value: JSONValue
    var codingPath: [any CodingKey] { [] }

    func decodeNil() -> Bool { value.isNull }
    func decode(_ type: Bool.Type) throws -> Bool { try value.asBool() }
    func decode(_ type: String.Type) throws -> String { try value.asString() }
    func decode(_ type: Double.Type) throws -> Double { try value.asDouble() }
    func decode(_ type: Float.Type) throws -> Float { Float(try value.asDouble()) }
    func decode(_ type: Int.Type) throws -> Int { try value.asInteger() }
    func decode(_ type: Int8.Type) throws -> Int8 { try value.asInteger() }
    func decode(_ type: Int16.Type) throws -> Int16 { try value.asInteger() }
    func decode(_ type: Int32.Type) throws -> Int32 { try value.asInteger() }
    func decode(_ type: Int64.Type) throws -> Int64 { try value.asInteger() }
    func decode(_ type: UInt.Type) throws -> UInt { try value.asInteger() }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try value.asInteger() }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try value.asInteger() }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try value.asInteger() }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try value.asInteger() }
    func decode<T: Decodable>(_ type: T.Type) throws -> T { try JSONTreeDecoder.unwrap(type, value) }
}

private func unsupported() -> Never {
    preconditionFailure("our decoder reads structs and enums: classes with a superclass are not for the wire")
}
