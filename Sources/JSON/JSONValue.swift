/// Any JSON value (RFC 8259). Integers are exact; a number with an integral value is always `.integer`.
package enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)
}

extension JSONValue {
    package var isNull: Bool { if case .null = self { true } else { false } }
    package var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }
    package var intValue: Int64? { if case .integer(let value) = self { value } else { nil } }
    package var stringValue: String? { if case .string(let value) = self { value } else { nil } }
    package var arrayValue: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
    package var objectValue: JSONObject? { if case .object(let value) = self { value } else { nil } }

    /// The value of any number.
    package var doubleValue: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// The member of an object; nil for anything else.
    package subscript(_ key: String) -> JSONValue? { objectValue?[key] }

    /// The element of an array; nil beyond its end and for anything else.
    package subscript(_ index: Int) -> JSONValue? {
        guard case .array(let values) = self, values.indices.contains(index) else { return nil }
        return values[index]
    }

    /// The value at an RFC 6901 pointer.
    package func at(pointer: String) -> JSONValue? {
        if pointer.isEmpty { return self }
        // By scalars: a slash stays a slash when a combining mark follows it.
        let tokens = pointer.unicodeScalars.split(separator: "/", omittingEmptySubsequences: false)
        guard tokens[0].isEmpty else { return nil }
        var value: JSONValue? = self
        for token in tokens.dropFirst() {
            let key = JSONPointer.unescape(Substring(token))
            switch value {
            case .object(let object): value = object[key]
            case .array(let array):
                guard let index = Int(key), array.indices.contains(index), String(index) == key else { return nil }
                value = array[index]
            default: return nil
            }
        }
        return value
    }

    /// What kind of value it is, for messages.
    package var kindName: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer: "an integer"
        case .number: "a fraction"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

/// RFC 6901.
package enum JSONPointer {
    package static func escape(_ token: String) -> String {
        guard token.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }) else { return token }
        return String(
            token.unicodeScalars.reduce(into: String.UnicodeScalarView()) { text, scalar in
                switch scalar {
                case "~": text += "~0".unicodeScalars
                case "/": text += "~1".unicodeScalars
                default: text.append(scalar)
                }
            })
    }

    /// A tilde that escapes nothing stands for itself.
    package static func unescape(_ token: some StringProtocol) -> String {
        guard token.utf8.contains(UInt8(ascii: "~")) else { return String(token) }
        let parts = String(token).unicodeScalars.split(separator: "~", omittingEmptySubsequences: false)
        return parts.dropFirst().reduce(into: String(parts[0])) { text, part in
            switch part.first {
            case "0": text += "~" + String(part.dropFirst())
            case "1": text += "/" + String(part.dropFirst())
            default: text += "~" + String(part)
            }
        }
    }
}

extension JSONValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    package init(nilLiteral: ()) { self = .null }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(floatLiteral value: Double) { self = JSONValue(number: value) }
    package init(stringLiteral value: String) { self = .string(value) }
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSONValue)...) { self = .object(JSONObject(elements)) }

    /// A number as JSON has it: integral values become `.integer`. It must be finite.
    package init(number: Double) {
        precondition(number.isFinite, "JSON has no infinity and no NaN")
        // Not `Int64(exactly:)`: that takes libm, which nothing else here does.
        if abs(number) <= JSON.integerMagnitudeMax, Double(Int64(number)) == number {
            self = .integer(Int64(number))
        } else {
            self = .number(number)
        }
    }
}

/// The members of an object in the order they came. Equality ignores the order.
///
/// Keys are the same if Swift holds them to be equal: `é` in one scalar and in two never stand side by side.
package struct JSONObject: Hashable, Sendable, Sequence, ExpressibleByDictionaryLiteral {
    package typealias Element = (key: String, value: JSONValue)

    private var members: [Member] = []

    fileprivate struct Member: Sendable {
        var key: String
        var value: JSONValue
    }

    /// With more members than this, looking up each of them takes a table.
    static let scannedMax = 16

    package init() {}

    /// Later values of the same key replace earlier ones.
    package init(_ pairs: [(String, JSONValue)]) {
        for (key, value) in pairs { self[key] = value }
    }

    package init(dictionaryLiteral elements: (String, JSONValue)...) { self.init(elements) }

    package var count: Int { members.count }
    package var isEmpty: Bool { members.isEmpty }
    package var keys: [String] { members.map(\.key) }

    package subscript(_ key: String) -> JSONValue? {
        get { index(of: key).map { members[$0].value } }
        set {
            switch (index(of: key), newValue) {
            case (let index?, let value?): members[index].value = value
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append(Member(key: key, value: value))
            case (nil, nil): break
            }
        }
    }

    package struct Iterator: IteratorProtocol {
        fileprivate var members: IndexingIterator<[Member]>

        package mutating func next() -> Element? { members.next().map { ($0.key, $0.value) } }
    }

    package func makeIterator() -> Iterator { Iterator(members: members.makeIterator()) }

    package static func == (left: JSONObject, right: JSONObject) -> Bool {
        guard left.count == right.count else { return false }
        guard left.count > scannedMax else { return left.members.allSatisfy { right[$0.key] == $0.value } }
        let table = Dictionary(uniqueKeysWithValues: right.members.map { ($0.key, $0.value) })
        return left.members.allSatisfy { table[$0.key] == $0.value }
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(count)
        hasher.combine(
            members.reduce(0) { sum, member in
                var hasher = Hasher()
                hasher.combine(member.key)
                hasher.combine(member.value)
                return sum ^ hasher.finalize()
            })
    }

    /// Adds a member whose key is known to be new.
    mutating func append(_ key: String, _ value: JSONValue) { members.append(Member(key: key, value: value)) }

    /// Where the key stands. Who reads members in turn starts looking where the last one was found.
    func index(of key: String, from start: Int = 0) -> Int? {
        for index in start..<members.count where members[index].key == key { return index }
        for index in 0..<start where members[index].key == key { return index }
        return nil
    }

    subscript(at index: Int) -> JSONValue { members[index].value }

    /// The same members as RFC 8785 orders them: often they are in order already.
    var inCanonicalOrder: JSONObject {
        func precedes(_ left: Int, _ right: Int) -> Bool {
            CanonicalOrder.precedes(members[left].key, members[right].key)
        }
        if members.indices.dropFirst().allSatisfy({ precedes($0 - 1, $0) }) { return self }
        var object = JSONObject()
        object.members = members.indices.sorted(by: precedes).map { members[$0] }
        return object
    }
}

/// JSON that is already written in canonical form: our encoder copies it as it is.
package struct JSONRaw: Hashable, Sendable {
    package var bytes: [UInt8]
    package init(_ bytes: [UInt8]) { self.bytes = bytes }
}
