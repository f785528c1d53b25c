/// A type that knows its JSON Schema better than its decoding tells.
package protocol JSONSchemaDescribed: Decodable {
    static var jsonSchema: JSONValue { get }
    /// Any value: it stands in while the types around it are asked.
    static var jsonSample: Self { get }
}

/// A type whose optional members may be absent from an answer instead of null.
package protocol SparselyWritten {}

/// Reads the JSON Schema (2020-12) of a type off its decoding: what it asks for is what it is made of.
package struct JSONSchemaProbe {
    /// What an optional member is.
    package enum Direction: Sendable {
        /// It may be left out, or null.
        case request
        /// It is there, and may be null.
        case answer
    }

    /// The schemas of all structs that were met, by type name: what `$ref` points to.
    package private(set) var components: [String: JSONValue] = [:]
    private let direction: Direction
    private let referencePrefix: String

    /// - Parameter referencePrefix: What a component's name is prefixed with in `$ref`; inlined where it is empty.
    package init(_ direction: Direction, referencePrefix: String) {
        (self.direction, self.referencePrefix) = (direction, referencePrefix)
    }

    /// The schema of the type. A type that cannot be asked is a defect of this probe.
    package mutating func schema<T: Decodable>(of type: T.Type) -> JSONValue {
        let asking = Asking(direction, referencePrefix)
        let (schema, _) = asking.ask(type)
        components.merge(asking.components) { old, _ in old }
        return schema
    }
}

private final class Asking {
    let direction: JSONSchemaProbe.Direction
    let referencePrefix: String
    var components: [String: JSONValue] = [:]

    init(_ direction: JSONSchemaProbe.Direction, _ referencePrefix: String) {
        (self.direction, self.referencePrefix) = (direction, referencePrefix)
    }

    func ask<T: Decodable>(_ type: T.Type) -> (schema: JSONValue, sample: T) {
        if T.self == JSONValue.self { return ([:], JSONValue.null as! T) }
        if T.self == JSONObject.self { return (["type": "object"], JSONObject() as! T) }
        if let described = T.self as? any JSONSchemaDescribed.Type {
            return (described.jsonSchema, described.jsonSample as! T)
        }
        if let words = T.self as? any CaseIterable.Type, let (texts, first) = Self.words(words), let first = first as? T
        {
            return (["type": "string", "enum": .array(texts.map { .string($0) })], first)
        }
        let answerer = Answerer(self)
        let sample: T
        do {
            sample = try T(from: answerer)
        } catch {
            preconditionFailure("\(T.self) does not tell what it reads: \(error)")
        }
        return (named(T.self, answerer.schema(isSparse: T.self is any SparselyWritten.Type)), sample)
    }

    private static func words<C: CaseIterable>(_ type: C.Type) -> ([String], Any)? {
        let texts = C.allCases.compactMap { ($0 as? any RawRepresentable)?.rawValue as? String }
        guard let first = C.allCases.first, texts.count == C.allCases.count else { return nil }
        return (texts, first)
    }

    /// Structs are written once and referred to.
    private func named<T>(_ type: T.Type, _ schema: JSONValue) -> JSONValue {
        guard !referencePrefix.isEmpty, schema["properties"] != nil else { return schema }
        // Of a generic type the letters: a component's name has no brackets.
        let name = "\(T.self)".filter { $0.isLetter || $0.isNumber }
        precondition(components[name] == nil || components[name] == schema, "two types are named \(name)")
        components[name] = schema
        return ["$ref": .string(referencePrefix + name)]
    }
}

/// Takes down what is asked for, and answers with samples.
private final class Answerer: Decoder {
    let asking: Asking
    var properties: [(name: String, schema: JSONValue, isOptional: Bool)] = []
    var isObject = false
    var items: JSONValue?
    var single: JSONValue?
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    init(_ asking: Asking) { self.asking = asking }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedDecodingContainer<Key> {
        isObject = true
        return KeyedDecodingContainer(KeyedAnswers(self))
    }

    func unkeyedContainer() -> any UnkeyedDecodingContainer {
        items = [:]
        return ElementAnswers(self)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer { SingleAnswers(self) }

    func schema(isSparse: Bool) -> JSONValue {
        if let single { return single }
        if let items { return ["type": "array", "items": items] }
        guard isObject, !properties.isEmpty else { return ["type": "object"] }
        var members = JSONObject()
        var required: [JSONValue] = []
        for property in properties {
            let mayMiss = property.isOptional && (asking.direction == .request || isSparse)
            members[property.name] = property.isOptional ? Self.nullable(property.schema) : property.schema
            if !mayMiss { required.append(.string(property.name)) }
        }
        var schema: JSONObject = ["type": "object", "properties": .object(members)]
        if !required.isEmpty { schema["required"] = .array(required) }
        return .object(schema)
    }

    static func nullable(_ schema: JSONValue) -> JSONValue {
        guard var object = schema.objectValue, !object.isEmpty else { return schema }
        if let type = object["type"]?.stringValue {
            object["type"] = .array([.string(type), "null"])
            if let words = object["enum"]?.arrayValue { object["enum"] = .array(words + [.null]) }
            return .object(object)
        }
        return ["anyOf": [schema, ["type": "null"]]]
    }

    static func primitive<T>(_ type: T.Type) -> (JSONValue, T) {
        func of(_ name: String, _ sample: Any) -> (JSONValue, T) { (["type": .string(name)], sample as! T) }
        return switch type {
        case is String.Type: of("string", "")
        case is Bool.Type: of("boolean", false)
        case is Double.Type: of("number", 0.0)
        case is Int.Type: of("integer", 0)
        case is Int64.Type: of("integer", Int64(0))
        default: preconditionFailure("\(type) has no place on the wire yet")
        }
    }
}

private struct KeyedAnswers<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let answerer: Answerer
    var codingPath: [any CodingKey] { [] }
    var allKeys: [Key] { [] }

    init(_ answerer: Answerer) { self.answerer = answerer }

    private func note(_ key: Key, _ schema: JSONValue, isOptional: Bool = false) {
        answerer.properties.append((JSONKey.onWire(key), schema, isOptional))
    }

    private func primitive<T>(_ key: Key, _ type: T.Type) -> T {
        let (schema, sample) = Answerer.primitive(type)
        note(key, schema)
        return sample
    }

    private func optional<T>(_ key: Key, _ type: T.Type) -> T? {
        note(key, Answerer.primitive(type).0, isOptional: true)
        return nil
    }

    func contains(_ key: Key) -> Bool { true }
    func decodeNil(forKey key: Key) -> Bool { false }
    func decode(_ type: Bool.Type, forKey key: Key) -> Bool { primitive(key, type) }
    func decode(_ type: String.Type, forKey key: Key) -> String { primitive(key, type) }
    func decode(_ type: Double.Type, forKey key: Key) -> Double { primitive(key, type) }
    func decode(_ type: Int.Type, forKey key: Key) -> Int { primitive(key, type) }
    func decode(_ type: Int64.Type, forKey key: Key) -> Int64 { primitive(key, type) }
    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) -> T {
        let (schema, sample) = answerer.asking.ask(type)
        note(key, schema)
        return sample
    }

    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) -> Bool? { optional(key, type) }
    func decodeIfPresent(_ type: String.Type, forKey key: Key) -> String? { optional(key, type) }
    func decodeIfPresent(_ type: Double.Type, forKey key: Key) -> Double? { optional(key, type) }
    func decodeIfPresent(_ type: Int.Type, forKey key: Key) -> Int? { optional(key, type) }
    func decodeIfPresent(_ type: Int64.Type, forKey key: Key) -> Int64? { optional(key, type) }
    func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) -> T? {
        note(key, answerer.asking.ask(type).schema, isOptional: true)
        return nil
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedDecodingContainer<Nested> {
        preconditionFailure("nested containers are not asked yet")
    }
    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedDecodingContainer {
        preconditionFailure("nested containers are not asked yet")
    }
    func superDecoder() -> any Decoder { answerer }
    func superDecoder(forKey key: Key) -> any Decoder { answerer }
}

/// An array of one element: that tells what the others are.
private struct ElementAnswers: UnkeyedDecodingContainer {
    let answerer: Answerer
    var codingPath: [any CodingKey] { [] }
    var count: Int? { 1 }
    var currentIndex = 0
    var isAtEnd: Bool { currentIndex > 0 }

    init(_ answerer: Answerer) { self.answerer = answerer }

    mutating func decodeNil() -> Bool { false }
    mutating func decode<T: Decodable>(_ type: T.Type) -> T {
        currentIndex += 1
        let (schema, sample) = answerer.asking.ask(type)
        answerer.items = schema
        return sample
    }
    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedDecodingContainer<Nested> {
        preconditionFailure("nested containers are not asked yet")
    }
    mutating func nestedUnkeyedContainer() -> any UnkeyedDecodingContainer {
        preconditionFailure("nested containers are not asked yet")
    }
    mutating func superDecoder() -> any Decoder { answerer }
}

private struct SingleAnswers: SingleValueDecodingContainer {
    let answerer: Answerer
    var codingPath: [any CodingKey] { [] }

    init(_ answerer: Answerer) { self.answerer = answerer }

    private func primitive<T>(_ type: T.Type) -> T {
        let (schema, sample) = Answerer.primitive(type)
        answerer.single = schema
        return sample
    }

    func decodeNil() -> Bool { false }
    func decode(_ type: Bool.Type) -> Bool { primitive(type) }
    func decode(_ type: String.Type) -> String { primitive(type) }
    func decode(_ type: Double.Type) -> Double { primitive(type) }
    func decode(_ type: Int.Type) -> Int { primitive(type) }
    func decode(_ type: Int64.Type) -> Int64 { primitive(type) }
    func decode<T: Decodable>(_ type: T.Type) -> T {
        let (schema, sample) = answerer.asking.ask(type)
        answerer.single = schema
        return sample
    }
}
