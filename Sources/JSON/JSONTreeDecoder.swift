/// Reads typed values out of a tree by the standard library's `Decodable`.
struct JSONTreeDecoder: Decoder {
    let value: JSONValue
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    static func decode<T: Decodable>(_ type: T.Type, from value: JSONValue) throws -> T {
        do {
            return try unwrap(type, value, [])
        } catch let error as DecodingError {
            throw JSONShapeError(error)
        }
    }

    /// The types that need no container are read at once.
    fileprivate static func unwrap<T: Decodable>(
        _ type: T.Type, _ value: JSONValue, _ path: @autoclosure () -> [any CodingKey]
    ) throws -> T {
        if T.self == JSONValue.self { return value as! T }
        if T.self == String.self {
            guard case .string(let text) = value else { throw mismatch("a string", value, path()) }
            return text as! T
        }
        if T.self == JSONObject.self {
            guard case .object(let object) = value else { throw mismatch("an object", value, path()) }
            return object as! T
        }
        if T.self == JSONRaw.self { return JSONRaw(JSON.canonical(value)) as! T }
        if let dictionary = T.self as? any StringKeyedDictionary.Type {
            guard case .object(let object) = value else { throw mismatch("an object", value, path()) }
            return try dictionary.read(object, path()) as! T
        }
        return try T(from: JSONTreeDecoder(value: value, codingPath: path()))
    }

    fileprivate static func mismatch(
        _ expected: String, _ found: JSONValue, _ path: [any CodingKey]
    ) -> JSONShapeError {
        JSONShapeError(pointer(path), .wrongType(expected: expected, found: found.kindName))
    }

    fileprivate static func pointer(_ path: [any CodingKey]) -> String {
        path.reduce(into: "") { text, key in
            text += "/" + (key.intValue.map(String.init) ?? JSONPointer.escape(JSONKey.snakeCase(key.stringValue)))
        }
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .object(let object) = value else { throw Self.mismatch("an object", value, codingPath) }
        return KeyedDecodingContainer(KeyedReader(object: object, codingPath: codingPath))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .array(let values) = value else { throw Self.mismatch("an array", value, codingPath) }
        return UnkeyedReader(values: values, codingPath: codingPath)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer {
        SingleReader(value: value, codingPath: codingPath)
    }
}

extension JSONShapeError {
    /// What synthesized and hand-written `init(from:)` throw, as our own error.
    init(_ error: DecodingError) {
        switch error {
        case .keyNotFound(let key, let context):
            self.init(JSONTreeDecoder.pointer(context.codingPath + [key]), .missing)
        case .valueNotFound(_, let context):
            self.init(JSONTreeDecoder.pointer(context.codingPath), .missing)
        case .typeMismatch(_, let context), .dataCorrupted(let context):
            self.init(JSONTreeDecoder.pointer(context.codingPath), .invalid(context.debugDescription))
        @unknown default:
            self.init("", .invalid("\(error)"))
        }
    }
}

private struct ElementKey: CodingKey {
    var intValue: Int?
    var stringValue: String
    init(_ index: Int) { (intValue, stringValue) = (index, String(index)) }
    init?(intValue: Int) { self.init(intValue) }
    init?(stringValue: String) { return nil }
}

/// A dictionary's keys are data: they stand in the JSON as they are.
private protocol StringKeyedDictionary {
    static func read(_ object: JSONObject, _ path: [any CodingKey]) throws -> any StringKeyedDictionary
}

extension Dictionary: StringKeyedDictionary where Key == String, Value: Decodable {
    fileprivate static func read(
        _ object: JSONObject, _ path: [any CodingKey]
    ) throws -> any StringKeyedDictionary {
        var result: [String: Value] = [:]
        for (key, value) in object {
            result[key] = try JSONTreeDecoder.unwrap(Value.self, value, path + [VerbatimKey(key)])
        }
        return result
    }
}

private struct VerbatimKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(_ key: String) { stringValue = key }
    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { return nil }
}

/// The scalars, wherever they stand.
private protocol ScalarReader {
    var codingPath: [any CodingKey] { get }
}

extension ScalarReader {
    func bool(_ value: JSONValue, _ path: @autoclosure () -> [any CodingKey]) throws -> Bool {
        guard case .bool(let bool) = value else { throw JSONTreeDecoder.mismatch("true or false", value, path()) }
        return bool
    }

    func string(_ value: JSONValue, _ path: @autoclosure () -> [any CodingKey]) throws -> String {
        guard case .string(let text) = value else { throw JSONTreeDecoder.mismatch("a string", value, path()) }
        return text
    }

    func double(_ value: JSONValue, _ path: @autoclosure () -> [any CodingKey]) throws -> Double {
        guard let number = value.doubleValue else { throw JSONTreeDecoder.mismatch("a number", value, path()) }
        return number
    }

    func integer<T: FixedWidthInteger>(_ value: JSONValue, _ path: @autoclosure () -> [any CodingKey]) throws -> T {
        guard case .integer(let integer) = value else { throw JSONTreeDecoder.mismatch("an integer", value, path()) }
        guard let exact = T(exactly: integer) else {
            throw JSONShapeError(
                JSONTreeDecoder.pointer(path()), .invalid("expected \(T.min) … \(T.max), found \(integer)"))
        }
        return exact
    }
}

private struct KeyedReader<Key: CodingKey>: KeyedDecodingContainerProtocol, ScalarReader {
    let object: JSONObject
    let codingPath: [any CodingKey]

    var allKeys: [Key] { object.keys.compactMap { Key(stringValue: $0) } }

    private func member(_ key: Key) -> JSONValue? { object[JSONKey.snakeCase(key.stringValue)] }

    private func required(_ key: Key) throws -> JSONValue {
        guard let value = member(key) else {
            throw JSONShapeError(JSONTreeDecoder.pointer(codingPath + [key]), .missing)
        }
        return value
    }

    func contains(_ key: Key) -> Bool { member(key) != nil }
    func decodeNil(forKey key: Key) throws -> Bool { member(key)?.isNull ?? true }
    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try bool(required(key), codingPath + [key]) }
    func decode(_ type: String.Type, forKey key: Key) throws -> String { try string(required(key), codingPath + [key]) }
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try double(required(key), codingPath + [key]) }
    func decode(_ type: Float.Type, forKey key: Key) throws -> Float {
        Float(try double(required(key), codingPath + [key]))
    }
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try integer(required(key), codingPath + [key]) }
    func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try integer(required(key), codingPath + [key]) }
    func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try integer(required(key), codingPath + [key]) }
    func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try integer(required(key), codingPath + [key]) }
    func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try integer(required(key), codingPath + [key]) }
    func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try integer(required(key), codingPath + [key]) }
    func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try integer(required(key), codingPath + [key]) }
    func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 {
        try integer(required(key), codingPath + [key])
    }
    func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 {
        try integer(required(key), codingPath + [key])
    }
    func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 {
        try integer(required(key), codingPath + [key])
    }
    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        try JSONTreeDecoder.unwrap(type, required(key), codingPath + [key])
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        try JSONTreeDecoder(value: required(key), codingPath: codingPath + [key]).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try JSONTreeDecoder(value: required(key), codingPath: codingPath + [key]).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder { JSONTreeDecoder(value: .object(object), codingPath: codingPath) }
    func superDecoder(forKey key: Key) throws -> any Decoder {
        JSONTreeDecoder(value: try required(key), codingPath: codingPath + [key])
    }
}

private struct UnkeyedReader: UnkeyedDecodingContainer, ScalarReader {
    let values: [JSONValue]
    let codingPath: [any CodingKey]
    var currentIndex = 0

    init(values: [JSONValue], codingPath: [any CodingKey]) { (self.values, self.codingPath) = (values, codingPath) }

    var count: Int? { values.count }
    var isAtEnd: Bool { currentIndex == values.count }
    private var here: [any CodingKey] { codingPath + [ElementKey(currentIndex)] }

    private mutating func next<T>(_ read: (JSONValue, [any CodingKey]) throws -> T) throws -> T {
        guard !isAtEnd else { throw JSONShapeError(JSONTreeDecoder.pointer(here), .missing) }
        let result = try read(values[currentIndex], here)
        currentIndex += 1
        return result
    }

    mutating func decodeNil() throws -> Bool {
        guard !isAtEnd, values[currentIndex].isNull else { return false }
        currentIndex += 1
        return true
    }

    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
        try next { try JSONTreeDecoder.unwrap(type, $0, $1) }
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> {
        try next { try JSONTreeDecoder(value: $0, codingPath: $1).container(keyedBy: type) }
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try next { try JSONTreeDecoder(value: $0, codingPath: $1).unkeyedContainer() }
    }

    mutating func superDecoder() throws -> any Decoder { try next { JSONTreeDecoder(value: $0, codingPath: $1) } }
}

private struct SingleReader: SingleValueDecodingContainer, ScalarReader {
    let value: JSONValue
    let codingPath: [any CodingKey]

    func decodeNil() -> Bool { value.isNull }
    func decode(_ type: Bool.Type) throws -> Bool { try bool(value, codingPath) }
    func decode(_ type: String.Type) throws -> String { try string(value, codingPath) }
    func decode(_ type: Double.Type) throws -> Double { try double(value, codingPath) }
    func decode(_ type: Float.Type) throws -> Float { Float(try double(value, codingPath)) }
    func decode(_ type: Int.Type) throws -> Int { try integer(value, codingPath) }
    func decode(_ type: Int8.Type) throws -> Int8 { try integer(value, codingPath) }
    func decode(_ type: Int16.Type) throws -> Int16 { try integer(value, codingPath) }
    func decode(_ type: Int32.Type) throws -> Int32 { try integer(value, codingPath) }
    func decode(_ type: Int64.Type) throws -> Int64 { try integer(value, codingPath) }
    func decode(_ type: UInt.Type) throws -> UInt { try integer(value, codingPath) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try integer(value, codingPath) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try integer(value, codingPath) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try integer(value, codingPath) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try integer(value, codingPath) }
    func decode<T: Decodable>(_ type: T.Type) throws -> T { try JSONTreeDecoder.unwrap(type, value, codingPath) }
}
