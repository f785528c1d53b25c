import Shared

/// An external write needs an approval whose scope covers it.
enum ExternalWriteRule: PolicyRule {
    static let id = "external_write"

    static func judge(_ question: PolicyQuestion, _ facts: PolicyFacts) -> PolicyVerdict? {
        guard question.action.isExternalWrite || question.action == .approvalRequest else { return nil }
        return PolicyVerdict(
            .requireApproval, ReasonCode.externalWriteRequiresApproval.rawValue, rule: id,
            reason: "\(question.action) needs an approval")
    }
}
