import Shared

/// What may happen by default: what stays on this machine and inside its limits.
enum KnownActionRule: PolicyRule {
    static let id = "known_action"

    static let allowed: Set<String> = [
        "api.call.idempotent", "artifact.create", "artifact.update", "data.read", "data.write", "external.read",
        "internal.read", "internal.wait", "internal.write", "shell.exec",
    ]

    static func judge(_ question: PolicyQuestion, _ facts: PolicyFacts) -> PolicyVerdict? {
        // `tool.call.<name>`: the calls of runs without a plan, made by outside executors.
        guard allowed.contains(question.action.rawValue) || question.action.rawValue.hasPrefix("tool.call.") else {
            return nil
        }
        return PolicyVerdict(.allow, "default_allow", rule: id)
    }
}
