import Shared

/// What a subject should do instead, one sentence for each reason: fixed text, so that nothing of the request is in it.
enum Guidance {
    static func sentence(for reason: String, blocked: Bool) -> String {
        if let sentence = ReasonCode(rawValue: reason).flatMap(sentence) ?? data[reason] { return sentence }
        return blocked
            ? "Policy refuses this. Change what is asked for, or ask a person, before trying again."
            : "Policy would refuse this where it is enforced. Change what is asked for before relying on it."
    }

    /// Reasons that are verdicts and never errors on the wire.
    private static let data = [
        "data_access_purpose_hint_mismatch":
            "The data is kept for another purpose. Give a justification, or ask for an approval.",
        "data_access_restricted_room_mismatch": "Restricted data stays in its own room. Work there, or without it.",
    ]

    private static func sentence(_ reason: ReasonCode) -> String? {
        switch reason {
        case .killSwitchActive:
            "External writes are held by the kill switch. Do not try again before it is lifted."
        case .externalWriteRequiresApproval:
            "External writes need an approval. Ask for one, and wait for the decision."
        case .actionPreApprovalRequired, .actionZoneRequiresHighStakes, .actionIrreversibleRequiresHighStakes:
            "This action cannot be undone. Ask for an approval before it, in the zone high_stakes."
        case .actionZoneMismatch: "This action takes a stricter zone. Work in the zone the action registry names."
        case .unknownAction: "No rule knows this action. Use one that the action registry or the tool table names."
        default: nil
        }
    }
}
