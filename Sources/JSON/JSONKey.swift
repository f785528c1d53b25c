import Synchronization

/// The one place where Swift names meet snake_case.
package enum JSONKey {
    /// `runID` → `run_id`, `stepIDs` → `step_ids`, `permitTTLMs` → `permit_ttl_ms`; a name without capitals stays.
    package static func snakeCase(_ swiftKey: String) -> String {
        guard swiftKey.utf8.contains(where: isUpper) else { return swiftKey }
        return cache.withLock { cache in
            if let known = cache[swiftKey] { return known }
            if cache.count >= cachedMax { cache.removeAll() }
            let text = convert(Array(swiftKey.utf8))
            cache[swiftKey] = text
            return text
        }
    }

    private static let cachedMax = 4096
    private static let cache = Mutex<[String: String]>([:])

    private static func isUpper(_ byte: UInt8) -> Bool { byte >= 65 && byte <= 90 }

    private static func convert(_ key: [UInt8]) -> String {
        var result: [UInt8] = []
        for (index, byte) in key.enumerated() {
            guard isUpper(byte) else {
                result.append(byte)
                continue
            }
            if index > 0, startsWord(at: index, in: key) { result.append(UInt8(ascii: "_")) }
            result.append(byte + 32)
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// A capital starts a word after a small letter or digit, and as the last capital of a run before small letters
    /// (`URLPath`): but not where the small letter is only the plural of the run (`IDs`). `Ms` is a unit, no plural.
    private static func startsWord(at index: Int, in key: [UInt8]) -> Bool {
        if !isUpper(key[index - 1]) { return true }
        guard index + 1 < key.count, !isUpper(key[index + 1]) else { return false }
        let isPluralEnd =
            key[index + 1] == UInt8(ascii: "s") && (index + 2 == key.count || isUpper(key[index + 2]))
        return !isPluralEnd || key[index] == UInt8(ascii: "M")
    }
}
