import Shared

/// No external write while the kill switch is engaged, whatever was approved.
enum KillSwitchRule: PolicyRule {
    static let id = "kill_switch"

    static func judge(_ question: PolicyQuestion, _ facts: PolicyFacts) -> PolicyVerdict? {
        guard question.action.isExternalWrite, facts.killSwitch.isEngaged else { return nil }
        let source =
            facts.killSwitch.engagedByOperator
            ? "the operator (`aos kill off` lifts it)"
            : "the environment (POLICY_KILL_SWITCH_EXTERNAL_WRITE)"
        return PolicyVerdict(
            .deny, ReasonCode.killSwitchActive.rawValue, rule: id, reason: "external writes are held by \(source)")
    }
}
