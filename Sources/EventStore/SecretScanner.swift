package import JSON
package import Shared

/// Finds what looks like a secret and takes it out, before anything is written (`contract/API_CORE.md` 2.7, widened).
package enum SecretScanner {
    package static let version = "dlp_v2"
    /// Matches that an event about them lists; it counts them all.
    package static let matchesMax = 20
    package static let replacement = "[redacted]"

    package struct Redacted {
        package var value: JSONValue
        package var bytes: [UInt8]
        package var matches: [SecretMatch]
    }

    /// The canonical JSON without its secrets, or nil if there are none. Also keys are looked at.
    package static func redact(_ json: [UInt8]) -> Redacted? {
        // Nearly all events pass here: one look for the beginnings that every rule has.
        guard SecretRule.mayMatch(json), let value = try? JSON.parse(json, limits: .scanner) else { return nil }
        var matches: [SecretMatch] = []
        let clean = redact(value, &matches)
        guard !matches.isEmpty else { return nil }
        return Redacted(value: clean, bytes: JSON.canonical(clean), matches: matches)
    }

    /// The first place of a value that holds something secret-shaped, as an RFC 6901 pointer.
    package static func firstSecret(in value: JSONValue, at pointer: String = "") -> (pointer: String, ruleID: String)?
    {
        switch value {
        case .string(let text):
            return SecretRule.matches(in: Array(text.utf8)).first.map { (pointer, $0.rule.id) }
        case .array(let values):
            for (index, element) in values.enumerated() {
                if let found = firstSecret(in: element, at: "\(pointer)/\(index)") { return found }
            }
            return nil
        case .object(let object):
            for (key, member) in object {
                let place = "\(pointer)/\(JSONPointer.escape(key))"
                if let match = SecretRule.matches(in: Array(key.utf8)).first { return (pointer, match.rule.id) }
                if let rule = SecretRule.named(key, member) { return (place, rule) }
                if let found = firstSecret(in: member, at: place) { return found }
            }
            return nil
        case .null, .bool, .integer, .number: return nil
        }
    }

    /// The text without its secrets.
    package static func redact(_ text: String, _ matches: inout [SecretMatch]) -> String {
        let bytes = Array(text.utf8)
        let found = SecretRule.matches(in: bytes)
        guard !found.isEmpty else { return text }
        var clean: [UInt8] = []
        var from = 0
        for match in found {
            clean += bytes[from..<match.range.lowerBound]
            clean += replacement.utf8
            from = match.range.upperBound
            matches.append(SecretMatch(ruleID: match.rule.id, matchPreview: preview(bytes[match.range])))
        }
        clean += bytes[from...]
        return String(decoding: clean, as: UTF8.self)
    }

    private static func redact(_ value: JSONValue, _ matches: inout [SecretMatch]) -> JSONValue {
        switch value {
        case .string(let text): .string(redact(text, &matches))
        case .array(let values): .array(values.map { redact($0, &matches) })
        case .object(let object):
            .object(JSONObject(object.map { (redact($0.key, &matches), redact($0.value, of: $0.key, &matches)) }))
        case .null, .bool, .integer, .number: value
        }
    }

    private static func redact(_ member: JSONValue, of key: String, _ matches: inout [SecretMatch]) -> JSONValue {
        guard let rule = SecretRule.named(key, member) else { return redact(member, &matches) }
        // Nothing in it tells its kind, so nothing of it is shown.
        matches.append(SecretMatch(ruleID: rule, matchPreview: "****"))
        return .string(replacement)
    }

    /// The kind of secret can be told from its first four characters; more is not shown, because what is stored here
    /// stays for ever.
    private static func preview(_ secret: ArraySlice<UInt8>) -> String {
        secret.count <= 8
            ? String(repeating: "*", count: secret.count)
            : String(decoding: secret.prefix(4), as: UTF8.self) + "…"
    }
}

extension JSONLimits {
    /// What the log holds was within limits when it came in; redaction must not fail on it.
    fileprivate static let scanner: JSONLimits = {
        var limits = JSONLimits()
        (limits.bytesMax, limits.valuesMax, limits.depthMax) = (.max, .max, 256)
        return limits
    }()
}
