/// Writes typed values straight to bytes by the standard library's `Encodable`.
///
/// Containers must be used as synthesized code does: one after the other, each finished before the next.
/// No value knows where it stands: an error gets its pointer on its way out, token by token.
final class JSONByteEncoder {
    // Unchecked: no code but ours and the standard library's runs while one of the two is being changed.
    @exclusivity(unchecked) fileprivate var writer = JSONWriter(reserving: 512)
    @exclusivity(unchecked) private var frames: [Frame] = []
    fileprivate let nulls: JSONNulls
    private let isCanonical: Bool

    /// What is open: where its members stand, so that they can be put in order when it is closed.
    private struct Frame {
        var bracket: UInt8?
        var isSorted = false
        var contentAt = 0
        var members: [(key: String, from: Int)] = []
    }

    /// - Throws: ``JSONShapeError`` for text with NUL and numbers that JSON has not, or what an `encode(to:)` throws.
    static func encode<T: Encodable>(_ value: T, nulls: JSONNulls, isCanonical: Bool) throws -> [UInt8] {
        let encoder = JSONByteEncoder(nulls: nulls, isCanonical: isCanonical)
        try encoder.write(value)
        return encoder.writer.bytes
    }

    private init(nulls: JSONNulls, isCanonical: Bool) { (self.nulls, self.isCanonical) = (nulls, isCanonical) }

    // MARK: Values

    /// Writes any value: the plain ones at once, the others by their own `encode(to:)`.
    fileprivate func write<T: Encodable>(_ value: T) throws {
        if T.self == String.self { return try write(text: value as! String) }
        if T.self == JSONValue.self { return try write(tree: value as! JSONValue) }
        if T.self == JSONObject.self { return try write(tree: .object(value as! JSONObject)) }
        if T.self == JSONRaw.self { return writer.raw((value as! JSONRaw).bytes) }
        let depth = frames.count
        frames.append(Frame())
        try value.encode(to: Visitor(encoder: self, depth: depth + 1))
        settle(depth)
    }

    fileprivate func write(text: String) throws {
        writer.string(text)
        try check()
    }

    fileprivate func write(tree: JSONValue) throws {
        writer.value(tree, sorted: isCanonical)
        try check()
    }

    fileprivate func write(number: Double) throws {
        guard number.isFinite else { throw JSONShapeError("", .invalid("\(JSONWriter.outOfRange), found \(number)")) }
        writer.value(JSONValue(number: number))
        try check()
    }

    fileprivate func write(integer: some BinaryInteger) throws {
        writer.integer(Int64(clamping: integer))
        try check()
    }

    private func check() throws {
        if let fault = writer.fault { throw JSONShapeError("", .invalid("\(fault)")) }
    }

    // MARK: Containers

    /// Opens what the value on top is made of; a value may ask for the same once more.
    fileprivate func open(_ bracket: UInt8, isSorted: Bool = false) {
        let top = frames.count - 1
        guard frames[top].bracket == nil else {
            precondition(frames[top].bracket == bracket, "a value is an object or an array, not both")
            return
        }
        if bracket == UInt8(ascii: "{") { writer.beginObject() } else { writer.beginArray() }
        frames[top].bracket = bracket
        frames[top].isSorted = isSorted || isCanonical
        frames[top].contentAt = writer.bytes.count
    }

    /// Opens a container inside of the one on top.
    fileprivate func openNested(_ bracket: UInt8, isSorted: Bool = false) {
        frames.append(Frame())
        open(bracket, isSorted: isSorted)
    }

    fileprivate func key(_ key: String) {
        let top = frames.count - 1
        if frames[top].isSorted {
            // Members are cut apart and put together again in order; their commas are set then.
            frames[top].members.append((key, writer.bytes.count))
            writer.restart()
        }
        writer.key(key)
    }

    /// Closes all that was opened above this depth.
    fileprivate func settle(_ depth: Int) {
        while frames.count > depth { close() }
    }

    fileprivate var depth: Int { frames.count }

    private func close() {
        let frame = frames.removeLast()
        switch frame.bracket {
        case UInt8(ascii: "{"):
            if frame.isSorted { arrange(frame) }
            writer.endObject()
        case .some: writer.endArray()
        case nil: break
        }
    }

    private func arrange(_ frame: Frame) {
        guard frame.members.count > 1 else { return }
        let (members, end) = (frame.members, writer.bytes.count)
        let order = members.indices.sorted { CanonicalOrder.precedes(members[$0].key, members[$1].key) }
        var arranged: [UInt8] = []
        arranged.reserveCapacity(end - frame.contentAt + order.count)
        for index in order {
            if !arranged.isEmpty { arranged.append(UInt8(ascii: ",")) }
            arranged += writer.bytes[members[index].from..<(index + 1 < members.count ? members[index + 1].from : end)]
        }
        writer.bytes.replaceSubrange(frame.contentAt..., with: arranged)
    }
}

private struct Visitor: Encoder {
    let encoder: JSONByteEncoder
    let depth: Int
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        encoder.settle(depth)
        encoder.open(UInt8(ascii: "{"), isSorted: type == JSONKey.dictionaryKeyType)
        return KeyedEncodingContainer(KeyedSink(encoder: encoder, depth: depth))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        encoder.settle(depth)
        encoder.open(UInt8(ascii: "["))
        return UnkeyedSink(encoder: encoder, depth: depth)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { SingleSink(encoder: encoder) }
}

private struct KeyedSink<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let encoder: JSONByteEncoder
    let depth: Int
    var codingPath: [any CodingKey] { [] }

    private func write(_ key: Key, _ value: () throws -> Void) throws {
        encoder.settle(depth)
        let name = JSONKey.onWire(key)
        do {
            encoder.key(name)
            try value()
        } catch {
            throw JSONShapeError.within(name, error)
        }
    }

    private func writeIfPresent<T>(_ key: Key, _ value: T?, _ write: (T) throws -> Void) throws {
        if let value {
            try write(value)
        } else if encoder.nulls == .write {
            try encodeNil(forKey: key)
        }
    }

    func encodeNil(forKey key: Key) throws { try write(key) { encoder.writer.null() } }
    func encode(_ value: Bool, forKey key: Key) throws { try write(key) { encoder.writer.bool(value) } }
    func encode(_ value: String, forKey key: Key) throws { try write(key) { try encoder.write(text: value) } }
    func encode(_ value: Double, forKey key: Key) throws { try write(key) { try encoder.write(number: value) } }
    func encode(_ value: Float, forKey key: Key) throws { try encode(Double(value), forKey: key) }
    func encode(_ value: Int, forKey key: Key) throws { try write(key) { try encoder.write(integer: value) } }
    func encode(_ value: Int8, forKey key: Key) throws { try write(key) { try encoder.write(integer: value) } }
    func encode(_ value: Int16, forKey key: Key) throws { try write(key) { try encoder.write(integer: value) } }
    func encode(_ value: Int32, forKey key: Key) throws { try write(key) { try encoder.write(integer: value) } }
    func encode(_ value: Int64, forKey key: Key) throws { try write(key) { try encoder.write(integer: value) } }
    func encode(_ value: UInt, forKey key: Key) throws { try write(key) { try encoder.write(integer: value) } }
    func encode(_ value: UInt8, forKey key: Key) throws { try write(key) { try encoder.write(integer: value) } }
    func encode(_ value: UInt16, forKey key: Key) throws { try write(key) { try encoder.write(integer: value) } }
    func encode(_ value: UInt32, forKey key: Key) throws { try write(key) { try encoder.write(integer: value) } }
    func encode(_ value: UInt64, forKey key: Key) throws { try write(key) { try encoder.write(integer: value) } }
    func encode<T: Encodable>(_ value: T, forKey key: Key) throws { try write(key) { try encoder.write(value) } }

    // One for each type: the protocol's own way leaves nil out.
    func encodeIfPresent(_ value: Bool?, forKey key: Key) throws {
        try writeIfPresent(key, value) { try encode($0, forKey: key) }
    }
    func encodeIfPresent(_ value: String?, forKey key: Key) throws {
        try writeIfPresent(key, value) { try encode($0, forKey: key) }
    }
    func encodeIfPresent(_ value: Double?, forKey key: Key) throws {
        try writeIfPresent(key, value) { try encode($0, forKey: key) }
    }
    func encodeIfPresent(_ value: Float?, forKey key: Key) throws {
        try writeIfPresent(key, value) { try encode($0, forKey: key) }
    }
    func encodeIfPresent(_ value: Int?, forKey key: Key) throws {
        try writeIfPresent(key, value) { try encode($0, forKey: key) }
    }
    func encodeIfPresent(_ value: Int8?, forKey key: Key) throws {
        try writeIfPresent(key, value) { try encode($0, forKey: key) }
    }
    func encodeIfPresent(_ value: Int16?, forKey key: Key) throws {
        try writeIfPresent(key, value) { try encode($0, forKey: key) }
    }
    func encodeIfPresent(_ value: Int32?, forKey key: Key) throws {
        try writeIfPresent(key, value) { try encode($0, forKey: key) }
    }
    func encodeIfPresent(_ value: Int64?, forKey key: Key) throws {
        try writeIfPresent(key, value) { try encode($0, forKey: key) }
    }
    func encodeIfPresent(_ value: UInt?, forKey key: Key) throws {
        try writeIfPresent(key, value) { try encode($0, forKey: key) }
    }
    func encodeIfPresent(_ value: UInt8?, forKey key: Key) throws {
        try writeIfPresent(key, value) { try encode($0, forKey: key) }
    }
    func encodeIfPresent(_ value: UInt16?, forKey key: Key) throws {
        try writeIfPresent(key, value) { try encode($0, forKey: key) }
    }
    func encodeIfPresent(_ value: UInt32?, forKey key: Key) throws {
        try writeIfPresent(key, value) { try encode($0, forKey: key) }
    }
    func encodeIfPresent(_ value: UInt64?, forKey key: Key) throws {
        try writeIfPresent(key, value) { try encode($0, forKey: key) }
    }
    func encodeIfPresent<T: Encodable>(_ value: T?, forKey key: Key) throws {
        try writeIfPresent(key, value) { try encode($0, forKey: key) }
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        encoder.settle(depth)
        encoder.key(JSONKey.onWire(key))
        encoder.openNested(UInt8(ascii: "{"), isSorted: type == JSONKey.dictionaryKeyType)
        return KeyedEncodingContainer(KeyedSink<Nested>(encoder: encoder, depth: encoder.depth))
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        encoder.settle(depth)
        encoder.key(JSONKey.onWire(key))
        encoder.openNested(UInt8(ascii: "["))
        return UnkeyedSink(encoder: encoder, depth: encoder.depth)
    }

    func superEncoder() -> any Encoder { unsupported() }
    func superEncoder(forKey key: Key) -> any Encoder { unsupported() }
}

private struct UnkeyedSink: UnkeyedEncodingContainer {
    let encoder: JSONByteEncoder
    let depth: Int
    private(set) var count = 0
    var codingPath: [any CodingKey] { [] }

    init(encoder: JSONByteEncoder, depth: Int) { (self.encoder, self.depth) = (encoder, depth) }

    mutating func encodeNil() {
        next()
        encoder.writer.null()
    }

    mutating func encode<T: Encodable>(_ value: T) throws {
        do {
            next()
            try encoder.write(value)
        } catch {
            throw JSONShapeError.within(String(count - 1), error)
        }
    }

    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        next()
        encoder.openNested(UInt8(ascii: "{"), isSorted: type == JSONKey.dictionaryKeyType)
        return KeyedEncodingContainer(KeyedSink(encoder: encoder, depth: encoder.depth))
    }

    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        next()
        encoder.openNested(UInt8(ascii: "["))
        return UnkeyedSink(encoder: encoder, depth: encoder.depth)
    }

    func superEncoder() -> any Encoder { unsupported() }

    private mutating func next() {
        encoder.settle(depth)
        count += 1
    }
}

private struct SingleSink: SingleValueEncodingContainer {
    let encoder: JSONByteEncoder
    var codingPath: [any CodingKey] { [] }

    func encodeNil() { encoder.writer.null() }
    func encode(_ value: Bool) { encoder.writer.bool(value) }
    func encode(_ value: String) throws { try encoder.write(text: value) }
    func encode(_ value: Double) throws { try encoder.write(number: value) }
    func encode(_ value: Float) throws { try encoder.write(number: Double(value)) }
    func encode(_ value: Int) throws { try encoder.write(integer: value) }
    func encode(_ value: Int8) throws { try encoder.write(integer: value) }
    func encode(_ value: Int16) throws { try encoder.write(integer: value) }
    func encode(_ value: Int32) throws { try encoder.write(integer: value) }
    func encode(_ value: Int64) throws { try encoder.write(integer: value) }
    func encode(_ value: UInt) throws { try encoder.write(integer: value) }
    func encode(_ value: UInt8) throws { try encoder.write(integer: value) }
    func encode(_ value: UInt16) throws { try encoder.write(integer: value) }
    func encode(_ value: UInt32) throws { try encoder.write(integer: value) }
    func encode(_ value: UInt64) throws { try encoder.write(integer: value) }
    func encode<T: Encodable>(_ value: T) throws { try encoder.write(value) }
}

private func unsupported() -> Never {
    preconditionFailure("our encoder writes structs and enums: classes with a superclass are not for the wire")
}
