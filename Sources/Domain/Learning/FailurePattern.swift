package import JSON
package import Shared

/// What makes two refusals the same mistake (`contract/API_HARDENING.md` 9): kind, action, reason, and the context with
/// everything private or endless taken out.
package struct FailurePattern: Hashable, Sendable {
    package var category: String
    package var action: String
    package var reasonCode: String
    package var blocked: Bool
    package var context: JSONValue

    /// - Parameter isSecret: Whether a text looks like a secret, by the scanner of the log.
    package init(_ refusal: PolicyRefusal, context: JSONObject, isSecret: (String) -> Bool) {
        // What a newer program recorded under a name of its own keeps that name.
        category = PolicyCategory(rawValue: refusal.category)?.lesson.rawValue ?? refusal.category
        (action, reasonCode, blocked) = (refusal.action, refusal.reasonCode, refusal.blocked)
        self.context = FailureContext.sanitized(.object(context), isSecret)
    }

    /// What `pattern_hash` covers: RFC 8785.
    package var canonical: [UInt8] {
        JSON.canonical([
            "category": .string(category), "action": .string(action), "reason_code": .string(reasonCode),
            "blocked": .bool(blocked), "context": context,
        ])
    }
}

/// A context as it may be kept for ever: shallow, short, and without secrets.
enum FailureContext {
    static let depthMax = 3
    static let keysMax = 24
    static let itemsMax = 12
    static let charactersMax = 240
    static let truncated = "[TRUNCATED]"
    static let redacted = "[REDACTED]"
    static let redactedSecret = "[REDACTED_SECRET]"
    /// A member with one of these in its name is taken out, whatever it holds.
    static let privateNames = [
        "secret", "token", "password", "api_key", "authorization", "cookie", "bearer", "private_key",
    ]

    static func sanitized(_ value: JSONValue, _ isSecret: (String) -> Bool, depth: Int = 0) -> JSONValue {
        guard depth <= depthMax else { return .string(truncated) }
        switch value {
        case .null, .bool, .integer, .number: return value
        case .string(let text): return .string(sanitized(text, isSecret))
        case .array(let items):
            return .array(items.prefix(itemsMax).map { sanitized($0, isSecret, depth: depth + 1) })
        case .object(let object):
            // In order of their names, so that the same members are kept in whatever order they came.
            let kept = object.sorted { $0.key < $1.key }.prefix(keysMax)
            return .object(
                JSONObject(
                    kept.map { key, member in
                        let isPrivate = Self.isPrivate(key)
                        return (
                            sanitized(key, isSecret),
                            isPrivate ? .string(redacted) : sanitized(member, isSecret, depth: depth + 1)
                        )
                    }))
        }
    }

    private static func sanitized(_ text: String, _ isSecret: (String) -> Bool) -> String {
        if isSecret(text) { return redactedSecret }
        guard text.unicodeScalars.count > charactersMax else { return text }
        return String(text.unicodeScalars.prefix(charactersMax))
    }

    private static func isPrivate(_ key: String) -> Bool {
        let name = key.lowercased()
        return privateNames.contains { name.contains($0) }
    }
}
