import Shared

/// What nobody has thought about does not happen.
enum UnknownActionRule: PolicyRule {
    static let id = "unknown_action"

    static func judge(_ question: PolicyQuestion, _ facts: PolicyFacts) -> PolicyVerdict? {
        PolicyVerdict(
            .deny, ReasonCode.unknownAction.rawValue, rule: id,
            reason: "'\(question.action.rawValue.prefix(100))' is no action this system knows")
    }
}
