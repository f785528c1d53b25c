import Crypto
import DatabaseCore
import Domain
import EventStore
import JSON
import Shared

@testable import Projectors

extension Moment {
    /// Somebody asks the gate.
    func evaluate() throws {
        let contexts: [JSONObject] = [[:], ["why": .string(word)], ["token": "x", "list": [1, .string(word)]]]
        let question = PolicyQuestion(
            category: .action,
            action: PolicyGate.normalize(pick(["email.send", "artifact.create", "launch", "data_read"])!),
            workspaceID: pick(Self.workspaces)!, roomID: pick([nil, "room_x"])!, zone: pick(Zone.allCases)!,
            context: pick(contexts)!)
        let facts = PolicyFacts(
            killSwitch: try KillSwitchTable.state(transaction),
            approvals: try ApprovalTable.approved(for: question.action, in: question.workspaceID, transaction), now: now
        )
        let verdict = PolicyGate.evaluate(question, facts).verdict
        guard verdict.decision != .allow else { return }
        let scope = EventScope(workspaceID: question.workspaceID, roomID: question.roomID, correlationID: "c")
        try record(PolicyGate.refusal(verdict, of: question, .enforce, in: scope, by: self.facts.actor))
    }

    /// As the api does it.
    func learn(from drafts: [EventDraft], _ recorded: [Recorded<DomainEvent>]) throws {
        let contexts = drafts.filter { $0.event.type.hasPrefix("policy.") }.map(\.policyContext)
        let refusals = recorded.compactMap { event -> Recorded<PolicyEvent>? in
            if case .policy(let refusal) = event.event { event.with(refusal) } else { nil }
        }
        for (refusal, context) in zip(refusals, contexts) {
            let pattern = FailurePattern(refusal.event.refusal, context: context) {
                SecretScanner.firstSecret(in: .string($0)) != nil
            }
            let hash = SHA256.hex(pattern.canonical)
            let known = try ConstraintTable.find(
                pattern: hash, category: pattern.category, subject: LearningDecider.subjectKey(of: refusal.envelope),
                in: refusal.envelope.workspaceID, transaction)
            try record(LearningDecider.learn(from: refusal, pattern, hash: hash, known: known, newID: id()))
        }
    }
}
