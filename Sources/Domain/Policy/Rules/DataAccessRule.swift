import JSON
import Shared

/// Labelled data stays in its room, and is read for its purpose (`contract/API_CORE.md` 8.2, 5).
enum DataAccessRule: PolicyRule {
    static let id = "data_access"

    static func judge(_ question: PolicyQuestion, _ facts: PolicyFacts) -> PolicyVerdict? {
        guard question.action == .dataRead || question.action == .dataWrite,
            let access = question.context["data_access"]
        else { return nil }
        switch access["label"]?.stringValue {
        case "restricted" where access["label_room_id"]?.stringValue != question.roomID?.rawValue:
            return PolicyVerdict(
                .deny, "data_access_restricted_room_mismatch", rule: id,
                reason: "restricted data may only be used in its own room")
        case "confidential", "sensitive_pii":
            guard access["purpose_hint_mismatch"]?.boolValue == true,
                access["justification_provided"]?.boolValue != true
            else { return nil }
            return PolicyVerdict(
                .requireApproval, "data_access_purpose_hint_mismatch", rule: id,
                reason: "the purpose is not the one the data is kept for")
        default: return nil
        }
    }
}
