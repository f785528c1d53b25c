import Shared

/// A registered action takes its zone, and its approval before it happens (`contract/API_HARDENING.md` 1.4).
///
/// Zones are ordered: a stricter one than the registry asks for is no mismatch, because more eyes do no harm.
enum ActionRegistryRule: PolicyRule {
    static let id = "action_registry"

    static func judge(_ question: PolicyQuestion, _ facts: PolicyFacts) -> PolicyVerdict? {
        guard question.category == .action || question.category == .egress,
            // It has a rule of its own, which tool calls meet too.
            question.action != .externalWrite, let action = ActionRegistry.entry(question.action)
        else { return nil }
        let (name, zone, required) = (question.action, question.zone.rawValue, action.zoneRequired.rawValue)
        if question.zone < action.zoneRequired {
            return action.zoneRequired == .highStakes
                ? PolicyVerdict(
                    .requireApproval, ReasonCode.actionZoneRequiresHighStakes.rawValue, rule: id,
                    reason: "\(name) belongs in the zone \(required), this is \(zone)")
                : PolicyVerdict(
                    .deny, ReasonCode.actionZoneMismatch.rawValue, rule: id,
                    reason: "\(name) takes the zone \(required), this is \(zone)")
        }
        if !action.reversible, question.zone < .highStakes {
            return PolicyVerdict(
                .requireApproval, ReasonCode.actionIrreversibleRequiresHighStakes.rawValue, rule: id,
                reason: "\(name) cannot be undone and belongs in the zone high_stakes, this is \(zone)")
        }
        guard action.requiresPreApproval else { return nil }
        return PolicyVerdict(
            .requireApproval, ReasonCode.actionPreApprovalRequired.rawValue, rule: id,
            reason: "\(name) needs an approval before it happens")
    }
}
