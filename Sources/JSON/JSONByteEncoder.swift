/// Writes typed values straight to bytes by the standard library's `Encodable`.
///
/// Containers must be used as synthesized code does: one after the other, each finished before the next.
final class JSONByteEncoder {
    fileprivate var writer = JSONWriter(reserving: 512)
    fileprivate let nulls: JSONNulls
    private let isCanonical: Bool
    private var frames: [Frame] = []

    /// What is open: where its members stand, so that they can be put in order when it is closed.
    private struct Frame {
        var bracket: UInt8?
        var contentAt = 0
        var members: [(key: String, from: Int)] = []
    }

    static func encode<T: Encodable>(_ value: T, nulls: JSONNulls, isCanonical: Bool) throws -> [UInt8] {
        let encoder = JSONByteEncoder(nulls: nulls, isCanonical: isCanonical)
        try encoder.write(value, [])
        return encoder.writer.bytes
    }

    private init(nulls: JSONNulls, isCanonical: Bool) { (self.nulls, self.isCanonical) = (nulls, isCanonical) }

    /// Writes any value: the plain ones at once, the others by their own `encode(to:)`.
    fileprivate func write<T: Encodable>(_ value: T, _ path: @autoclosure () -> [any CodingKey]) throws {
        if T.self == String.self { return writer.string(value as! String) }
        if T.self == JSONValue.self { return writer.value(value as! JSONValue, sorted: isCanonical) }
        if T.self == JSONObject.self { return writer.value(.object(value as! JSONObject), sorted: isCanonical) }
        if T.self == JSONRaw.self { return writer.raw((value as! JSONRaw).bytes) }
        if let dictionary = value as? any StringKeyedEncodable { return try dictionary.write(to: self, path()) }
        let depth = frames.count
        frames.append(Frame())
        try value.encode(to: Visitor(encoder: self, codingPath: path()))
        while frames.count > depth { close() }
    }

    fileprivate func open(_ bracket: UInt8) {
        // A single value may itself ask for a container: then the frame is its own.
        if frames.last?.bracket != nil { frames.append(Frame()) }
        if bracket == UInt8(ascii: "{") { writer.beginObject() } else { writer.beginArray() }
        frames[frames.count - 1].bracket = bracket
        frames[frames.count - 1].contentAt = writer.bytes.count
    }

    fileprivate func key(_ key: String) {
        if isCanonical {
            // Members are cut apart and put together again in order; their commas are set then.
            frames[frames.count - 1].members.append((key, writer.bytes.count))
            writer.restart()
        }
        writer.key(key)
    }

    private func close() {
        let frame = frames.removeLast()
        switch frame.bracket {
        case UInt8(ascii: "{"):
            if isCanonical { arrange(frame) }
            writer.endObject()
        case .some: writer.endArray()
        case nil: break
        }
    }

    private func arrange(_ frame: Frame) {
        guard frame.members.count > 1 else { return }
        let ends = frame.members.dropFirst().map(\.from) + [writer.bytes.count]
        let parts = zip(frame.members, ends).map { (key: $0.key, range: $0.from..<$1) }
            .sorted { CanonicalOrder.precedes($0.key, $1.key) }
        var arranged: [UInt8] = []
        arranged.reserveCapacity(writer.bytes.count - frame.contentAt + parts.count)
        for part in parts {
            if !arranged.isEmpty { arranged.append(UInt8(ascii: ",")) }
            arranged += writer.bytes[part.range]
        }
        writer.bytes.replaceSubrange(frame.contentAt..., with: arranged)
    }
}

/// A dictionary's keys are data: they are written as they are, sorted.
private protocol StringKeyedEncodable {
    func write(to encoder: JSONByteEncoder, _ path: [any CodingKey]) throws
}

extension Dictionary: StringKeyedEncodable where Key == String, Value: Encodable {
    fileprivate func write(to encoder: JSONByteEncoder, _ path: [any CodingKey]) throws {
        encoder.writer.beginObject()
        for (key, value) in sorted(by: { CanonicalOrder.precedes($0.key, $1.key) }) {
            encoder.writer.key(key)
            try encoder.write(value, path)
        }
        encoder.writer.endObject()
    }
}

private struct Visitor: Encoder {
    let encoder: JSONByteEncoder
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        encoder.open(UInt8(ascii: "{"))
        return KeyedEncodingContainer(KeyedSink(encoder: encoder, codingPath: codingPath))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        encoder.open(UInt8(ascii: "["))
        return UnkeyedSink(encoder: encoder, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        SingleSink(encoder: encoder, codingPath: codingPath)
    }
}

private struct KeyedSink<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let encoder: JSONByteEncoder
    let codingPath: [any CodingKey]

    private func key(_ key: Key) { encoder.key(JSONKey.snakeCase(key.stringValue)) }

    private func optional<T>(_ value: T?, _ key: Key, _ write: (T) throws -> Void) rethrows {
        if let value {
            try write(value)
        } else if encoder.nulls == .write {
            self.key(key)
            encoder.writer.null()
        }
    }

    private func write(_ value: some BinaryInteger, _ key: Key) {
        self.key(key)
        encoder.writer.integer(Int64(value))
    }

    func encodeNil(forKey key: Key) {
        self.key(key)
        encoder.writer.null()
    }

    func encode(_ value: Bool, forKey key: Key) {
        self.key(key)
        encoder.writer.bool(value)
    }

    func encode(_ value: String, forKey key: Key) {
        self.key(key)
        encoder.writer.string(value)
    }

    func encode(_ value: Double, forKey key: Key) {
        self.key(key)
        encoder.writer.value(JSONValue(number: value))
    }

    func encode(_ value: Float, forKey key: Key) { encode(Double(value), forKey: key) }
    func encode(_ value: Int, forKey key: Key) { write(value, key) }
    func encode(_ value: Int8, forKey key: Key) { write(value, key) }
    func encode(_ value: Int16, forKey key: Key) { write(value, key) }
    func encode(_ value: Int32, forKey key: Key) { write(value, key) }
    func encode(_ value: Int64, forKey key: Key) { write(value, key) }
    func encode(_ value: UInt, forKey key: Key) { write(value, key) }
    func encode(_ value: UInt8, forKey key: Key) { write(value, key) }
    func encode(_ value: UInt16, forKey key: Key) { write(value, key) }
    func encode(_ value: UInt32, forKey key: Key) { write(value, key) }
    func encode(_ value: UInt64, forKey key: Key) { write(value, key) }
    func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
        self.key(key)
        try encoder.write(value, codingPath + [key])
    }

    func encodeIfPresent(_ value: Bool?, forKey key: Key) { optional(value, key) { encode($0, forKey: key) } }
    func encodeIfPresent(_ value: String?, forKey key: Key) { optional(value, key) { encode($0, forKey: key) } }
    func encodeIfPresent(_ value: Double?, forKey key: Key) { optional(value, key) { encode($0, forKey: key) } }
    func encodeIfPresent(_ value: Int?, forKey key: Key) { optional(value, key) { encode($0, forKey: key) } }
    func encodeIfPresent(_ value: Int64?, forKey key: Key) { optional(value, key) { encode($0, forKey: key) } }
    func encodeIfPresent<T: Encodable>(_ value: T?, forKey key: Key) throws {
        try optional(value, key) { try encode($0, forKey: key) }
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> { unsupported() }
    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { unsupported() }
    func superEncoder() -> any Encoder { unsupported() }
    func superEncoder(forKey key: Key) -> any Encoder { unsupported() }
}

private struct UnkeyedSink: UnkeyedEncodingContainer {
    let encoder: JSONByteEncoder
    let codingPath: [any CodingKey]
    private(set) var count = 0

    init(encoder: JSONByteEncoder, codingPath: [any CodingKey]) {
        (self.encoder, self.codingPath) = (encoder, codingPath)
    }

    mutating func encodeNil() {
        encoder.writer.null()
        count += 1
    }

    mutating func encode<T: Encodable>(_ value: T) throws {
        try encoder.write(value, codingPath)
        count += 1
    }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        unsupported()
    }
    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { unsupported() }
    func superEncoder() -> any Encoder { unsupported() }
}

private struct SingleSink: SingleValueEncodingContainer {
    let encoder: JSONByteEncoder
    let codingPath: [any CodingKey]

    func encodeNil() { encoder.writer.null() }
    func encode(_ value: Bool) { encoder.writer.bool(value) }
    func encode(_ value: String) { encoder.writer.string(value) }
    func encode(_ value: Double) { encoder.writer.value(JSONValue(number: value)) }
    func encode(_ value: Float) { encode(Double(value)) }
    func encode(_ value: Int) { encoder.writer.integer(Int64(value)) }
    func encode(_ value: Int8) { encoder.writer.integer(Int64(value)) }
    func encode(_ value: Int16) { encoder.writer.integer(Int64(value)) }
    func encode(_ value: Int32) { encoder.writer.integer(Int64(value)) }
    func encode(_ value: Int64) { encoder.writer.integer(value) }
    func encode(_ value: UInt) { encoder.writer.integer(Int64(value)) }
    func encode(_ value: UInt8) { encoder.writer.integer(Int64(value)) }
    func encode(_ value: UInt16) { encoder.writer.integer(Int64(value)) }
    func encode(_ value: UInt32) { encoder.writer.integer(Int64(value)) }
    func encode(_ value: UInt64) { encoder.writer.integer(Int64(value)) }
    func encode<T: Encodable>(_ value: T) throws { try encoder.write(value, codingPath) }
}

private func unsupported() -> Never {
    preconditionFailure("our encoder takes values as synthesized code gives them, not nested or super containers")
}
