import Crypto
import Domain
import EventStore
import JSON
import Projectors
import Shared

extension Work {
    /// Records what the refusals among the events just recorded teach. Here, and not in the handlers, so that there is no
    /// way to record a refusal that is not learned from.
    func learn(from drafts: [EventDraft], _ recorded: [Recorded<DomainEvent>]) throws {
        // Notes about redaction stand between the events, but a refusal's event is always there, and in the same order.
        let contexts = drafts.filter { if case .policy = $0.event { true } else { false } }.map(\.policyContext)
        guard !contexts.isEmpty else { return }
        let refusals = recorded.compactMap { event -> Recorded<PolicyEvent>? in
            if case .policy(let refusal) = event.event { event.with(refusal) } else { nil }
        }
        for (refusal, context) in zip(refusals, contexts) { try learn(from: refusal, context) }
    }

    private func learn(from refusal: Recorded<PolicyEvent>, _ context: JSONObject) throws {
        let pattern = FailurePattern(refusal.event.refusal, context: context) {
            SecretScanner.firstSecret(in: .string($0)) != nil
        }
        let hash = SHA256.hex(pattern.canonical)
        let known = try ConstraintTable.find(
            pattern: hash, category: pattern.category, subject: LearningDecider.subjectKey(of: refusal.envelope),
            in: refusal.envelope.workspaceID, transaction)
        try record(
            LearningDecider.learn(from: refusal, pattern, hash: hash, known: known, newID: environment.newHexID()))
    }
}
