import JSON
import Shared
import Testing

@testable import Domain

struct ActionRegistryTests {
    private func evaluate(
        _ action: String, _ zone: Zone = .supervised, category: PolicyCategory = .action, approvals: [Approval] = [],
        engaged: Bool = false
    ) -> PolicyOutcome {
        var killSwitch = KillSwitch()
        killSwitch.engagedByOperator = engaged
        let question = PolicyQuestion(
            category: category, action: PolicyGate.normalize(action), workspaceID: "ws", roomID: "room_1",
            runID: "run_1", zone: zone, argsHash: "h")
        return PolicyGate.evaluate(
            question, PolicyFacts(killSwitch: killSwitch, approvals: approvals, now: World.start))
    }

    private func approval(_ action: String, _ scope: ApprovalScope = ApprovalScope(type: .workspace)) -> Approval {
        var approval = Approval(
            approvalID: "appr_1", workspaceID: "ws", action: action, by: .operatorUser, correlationID: "c",
            at: World.start)
        (approval.status, approval.scope) = (.approved, scope)
        return approval
    }

    @Test("It has the rows of the contract, sorted")
    func rows() {
        let rows = ActionRegistry.actions.map { row in
            "\(row.actionType) \(row.reversible) \(row.zoneRequired.rawValue) \(row.requiresPreApproval) "
                + "\(row.postReviewRequired) \(row.metadata.costImpact) \(row.metadata.recoveryDifficulty)"
        }
        #expect(
            rows == [
                "api.call.idempotent true supervised false true low easy",
                "api.call.mutating false high_stakes true false high hard",
                "artifact.create true supervised false true low easy",
                "artifact.update true supervised false true low easy",
                "email.send false high_stakes true false medium hard",
                "external.write false high_stakes true false high hard",
                "payment.execute false high_stakes true false high hard",
            ])
        #expect(ActionRegistry.actions.allSatisfy { ActionRegistry.entry($0.actionType) == $0 })
    }

    @Test("Zones are ordered by how closely they watch")
    func zones() { #expect(Zone.allCases.sorted() == [.sandbox, .supervised, .highStakes]) }

    @Test(
        "An action takes its zone or a stricter one, and its approval",
        arguments: [
            ("artifact.create", Zone.sandbox, "deny action_zone_mismatch"),
            ("artifact.create", .supervised, "allow default_allow"),
            ("artifact.create", .highStakes, "allow default_allow"),
            ("api.call.idempotent", .sandbox, "deny action_zone_mismatch"),
            ("api.call.idempotent", .highStakes, "allow default_allow"),
            ("payment.execute", .sandbox, "require_approval action_zone_requires_high_stakes"),
            ("payment.execute", .supervised, "require_approval action_zone_requires_high_stakes"),
            ("payment.execute", .highStakes, "require_approval action_pre_approval_required"),
            ("email.send", .supervised, "require_approval action_zone_requires_high_stakes"),
            ("api.call.mutating", .highStakes, "require_approval action_pre_approval_required"),
            // It has a rule of its own, in every zone.
            ("external.write", .sandbox, "require_approval external_write_requires_approval"),
            ("external_write", .highStakes, "require_approval external_write_requires_approval"),
            ("data.read", .sandbox, "allow default_allow"), ("shell.exec", .highStakes, "allow default_allow"),
        ])
    func verdicts(_ action: String, _ zone: Zone, _ expected: String) {
        let verdict = evaluate(action, zone).verdict
        #expect("\(verdict.decision.rawValue) \(verdict.reasonCode)" == expected)
    }

    @Test("It is for questions about actions; a call has its own rules")
    func categories() {
        for category in PolicyCategory.allCases {
            let asks = category == .action || category == .egress
            #expect((evaluate("artifact.create", .sandbox, category: category).verdict.decision == .deny) == asks)
        }
    }

    @Test("An approval answers for whatever action it names, and says which rule asked for it")
    func approvals() {
        for action in ["payment.execute", "email.send", "api.call.mutating", "external.write", "external_write"] {
            for zone in Zone.allCases {
                let asked = evaluate(action, zone)
                let outcome = evaluate(action, zone, approvals: [approval("other.action"), approval(action)])
                #expect(outcome.verdict.decision == .allow && outcome.verdict.reasonCode == "approval_allows_action")
                #expect(outcome.verdict.ruleID == asked.verdict.ruleID && outcome.approval?.approvalID == "appr_1")
            }
        }
        // An alias in the approval is the same action.
        #expect(evaluate("external.write", approvals: [approval("external_write")]).verdict.decision == .allow)
        #expect(evaluate("payment.execute", approvals: [approval("email.send")]).verdict.decision == .requireApproval)
    }

    @Test("A denial cannot be approved away")
    func denials() {
        #expect(
            evaluate("artifact.create", .sandbox, approvals: [approval("artifact.create")]).verdict.decision == .deny)
        #expect(evaluate("rocket.launch", approvals: [approval("rocket.launch")]).verdict.decision == .deny)
        #expect(
            evaluate("payment.execute", approvals: [approval("payment.execute")], engaged: true).verdict.reasonCode
                == "kill_switch_active")
    }

    @Test(
        "An approval reaches as far as its scope says",
        arguments: [
            (ApprovalScope(type: .workspace), true), (ApprovalScope(type: .room, roomID: "room_1"), true),
            (ApprovalScope(type: .room, roomID: "room_2"), false), (ApprovalScope(type: .room), false),
            (ApprovalScope(type: .run, runID: "run_1"), true), (ApprovalScope(type: .run, runID: "run_2"), false),
            (ApprovalScope(type: .run), false), (ApprovalScope(type: .once, argsHash: "h"), true),
            (ApprovalScope(type: .once, argsHash: "x"), false), (ApprovalScope(type: .once), false),
            (ApprovalScope(type: .template), false),
        ])
    func scopes(_ scope: ApprovalScope, _ covers: Bool) {
        let outcome = evaluate("payment.execute", approvals: [approval("payment.execute", scope)])
        #expect((outcome.verdict.decision == .allow) == covers)
        var used = approval("payment.execute", scope)
        used.consumedAt = World.start
        #expect(evaluate("payment.execute", approvals: [used]).verdict.decision == .requireApproval)
        var expired = approval("payment.execute", scope)
        expired.expiresAt = World.start
        #expect(evaluate("payment.execute", approvals: [expired]).verdict.decision == .requireApproval)
    }
}
