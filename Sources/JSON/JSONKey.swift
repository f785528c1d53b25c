/// The one place where Swift names meet snake_case.
package enum JSONKey {
    /// `runID` → `run_id`, `stepIDs` → `step_ids`, `permitTTLMs` → `permit_ttl_ms`; a name without capitals stays.
    package static func snakeCase(_ swiftKey: String) -> String {
        var swiftKey = swiftKey
        let converted = swiftKey.withUTF8 { name -> String? in
            let capitals = name.count(where: isUpper)
            guard capitals > 0 else { return nil }
            return String(unsafeUninitializedCapacity: name.count + capitals) { convert(name, into: $0) }
        }
        return converted ?? swiftKey
    }

    /// The key's name on the wire. The keys of a dictionary are data: they stand there as they are.
    static func onWire<Key: CodingKey>(_ key: Key) -> String {
        Key.self == dictionaryKeyType ? key.stringValue : snakeCase(key.stringValue)
    }

    /// What the standard library hands to a container for a dictionary. The type has no public name.
    static let dictionaryKeyType: Any.Type = DictionaryProbe.keyType()

    private static func isUpper(_ byte: UInt8) -> Bool { byte >= 65 && byte <= 90 }

    private static func convert(
        _ key: UnsafeBufferPointer<UInt8>, into result: UnsafeMutableBufferPointer<UInt8>
    ) -> Int {
        var count = 0
        for (index, byte) in key.enumerated() {
            if isUpper(byte), index > 0, startsWord(at: index, in: key) {
                result[count] = UInt8(ascii: "_")
                count += 1
            }
            result[count] = isUpper(byte) ? byte + 32 : byte
            count += 1
        }
        return count
    }

    /// A capital starts a word after a small letter or digit, and as the last capital of a run before small letters
    /// (`URLPath`): but not where the small letter is only the plural of the run (`IDs`). `Ms` is a unit, no plural.
    private static func startsWord(at index: Int, in key: UnsafeBufferPointer<UInt8>) -> Bool {
        if !isUpper(key[index - 1]) { return true }
        guard index + 1 < key.count, !isUpper(key[index + 1]) else { return false }
        let isPluralEnd =
            key[index + 1] == UInt8(ascii: "s") && (index + 2 == key.count || isUpper(key[index + 2]))
        return !isPluralEnd || key[index] == UInt8(ascii: "M")
    }
}

/// Lets a dictionary ask for its container and tells by which keys it did.
private struct DictionaryProbe: Decoder {
    private struct Found: Error { var keyType: Any.Type }

    static func keyType() -> Any.Type {
        do {
            _ = try [String: Int](from: DictionaryProbe())
        } catch let found as Found {
            return found.keyType
        } catch {}
        preconditionFailure("the standard library asks for a keyed container to read a dictionary")
    }

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }
    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        throw Found(keyType: type)
    }
    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw Unexpected() }
    func singleValueContainer() throws -> any SingleValueDecodingContainer { throw Unexpected() }

    private struct Unexpected: Error {}
}
