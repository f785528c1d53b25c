import JSON
import Platform
import Shared
import Testing

@testable import Domain

struct PolicyTests {
    private func verdict(
        _ action: String, engaged: Bool = false, approvals: [Approval] = [], context: JSONObject = [:],
        room: RoomID? = "room_1"
    ) -> PolicyVerdict {
        var killSwitch = KillSwitch()
        killSwitch.engagedByOperator = engaged
        let question = PolicyQuestion(
            category: .action, action: PolicyGate.normalize(action), workspaceID: "ws", roomID: room, runID: "run_1",
            argsHash: "h", context: context)
        return PolicyGate.evaluate(
            question, PolicyFacts(killSwitch: killSwitch, approvals: approvals, now: World.start)
        ).verdict
    }

    @Test(
        "What is known has its verdict",
        arguments: [
            ("data.read", PolicyDecision.allow), ("data.write", .allow), ("shell.exec", .allow),
            ("internal.write", .allow),
            ("internal.read", .allow), ("internal.wait", .allow), ("external.read", .allow),
            ("api.call.idempotent", .allow), ("artifact.create", .allow), ("artifact.update", .allow),
            ("tool.call.search", .allow), ("data_read", .allow), (" data.write\n", .allow),
            ("external.write", .requireApproval), ("external_write", .requireApproval),
            (" external.write", .requireApproval), ("external.write\u{00A0}", .requireApproval),
            ("email.send", .requireApproval), ("payment.execute", .requireApproval),
            ("api.call.mutating", .requireApproval), ("approval.request", .requireApproval),
        ])
    func known(_ action: String, _ decision: PolicyDecision) { #expect(verdict(action).decision == decision) }

    @Test(
        "What only looks like a known action is denied",
        arguments: [
            "", " ", "External.Write", "EXTERNAL.WRITE", "external‐write", "external-write", "external.write\0",
            "\0external.write", "external.\u{200B}write", "external.write.", ".external.write", "external..write",
            "external.write\u{0301}", "ｅｘｔｅｒｎａｌ.ｗｒｉｔｅ", "external．write", "external․write", "ｄata.read",
            "Data.Read", "data.read\0", "data-read", "data.rеad", "data.read\u{200D}", "data.read;external.write",
            "data.read external.write", "shell.exec ; x", "tool.call", "Tool.call.x", "tool.call\u{2024}x",
            "tool.cаll.x",
            "agent.run", "model.call", "external.*", "*", "allow", "nil", "data.read\u{0338}",
        ])
    func twins(_ action: String) {
        let verdict = verdict(action)
        #expect(
            verdict.decision == .deny && verdict.reasonCode == "unknown_action" && verdict.ruleID == "unknown_action")
    }

    @Test("Blanks around a name go, of every kind; nothing inside does")
    func normalization() {
        for blank in [" ", "\t", "\n", "\r\n", "\u{00A0}", "\u{2003}", "\u{3000}"] {
            #expect(PolicyGate.normalize("\(blank)external.write\(blank)") == .externalWrite)
            #expect(PolicyGate.normalize("external.\(blank)write") != .externalWrite)
        }
    }

    @Test("Every known action is one that stays, or one that leaves; none is both")
    func partition() {
        #expect(KnownActionRule.allowed.allSatisfy { !ActionName(rawValue: $0).isExternalWrite })
        for tool in Tool.allCases {
            let action: ActionName =
                switch ToolCatalogue.entry(tool).action {
                case .always(let action): action
                case .byMethod, .byNetwork: .externalWrite
                }
            // A tool that the engine executes has an action that policy knows.
            guard ToolCatalogue.entry(tool).isExecuted else { continue }
            #expect(verdict(action.rawValue).reasonCode != "unknown_action", "\(tool)")
        }
    }

    @Test(
        "The kill switch beats every approval",
        arguments: ["external.write", "email.send", "payment.execute", "api.call.mutating", "external_write "])
    func killSwitch(_ action: String) throws {
        var approval = Approval(
            approvalID: "a", workspaceID: "ws", action: PolicyGate.normalize(action).rawValue, by: .operatorUser,
            correlationID: "c", at: World.start)
        (approval.status, approval.scope) = (.approved, ApprovalScope(type: .workspace))
        #expect(verdict(action, approvals: [approval]).decision == .allow)
        let held = verdict(action, engaged: true, approvals: [approval])
        #expect(held.decision == .deny && held.reasonCode == "kill_switch_active")
    }

    @Test("The kill switch holds external writes only")
    func killSwitchReach() {
        for action in KnownActionRule.allowed {
            #expect(verdict(action, engaged: true).decision == .allow, "\(action)")
        }
    }

    @Test("An approval covers what it says, until it says")
    func covering() {
        var approval = Approval(
            approvalID: "a", workspaceID: "ws", action: "external.write", by: .operatorUser, correlationID: "c",
            at: World.start)
        (approval.status, approval.scope) = (.approved, ApprovalScope(type: .once, argsHash: "h"))
        func decision(_ change: (inout Approval) -> Void) -> PolicyDecision {
            var changed = approval
            change(&changed)
            return verdict("external.write", approvals: [changed]).decision
        }
        #expect(decision { _ in } == .allow)
        for status in ApprovalStatus.allCases where status != .approved {
            #expect(decision { $0.status = status } == .requireApproval)
        }
        #expect(decision { $0.scope?.argsHash = "other" } == .requireApproval)
        #expect(decision { $0.scope?.argsHash = nil } == .requireApproval)
        #expect(decision { $0.scope = nil } == .requireApproval)
        #expect(decision { $0.consumedAt = World.start } == .requireApproval)
        #expect(decision { $0.expiresAt = World.start } == .requireApproval)
        #expect(decision { $0.expiresAt = World.start.adding(milliseconds: 1) } == .allow)
        #expect(decision { $0.workspaceID = "ws_2" } == .requireApproval)
        #expect(decision { $0.action = "email.send" } == .requireApproval)
        #expect(decision { $0.scope?.runID = "run_2" } == .requireApproval)
        #expect(decision { $0.scope?.runID = "run_1" } == .allow)
    }

    @Test("Labelled data stays in its room and is read for its purpose")
    func dataAccess() {
        func decision(_ access: JSONValue, room: RoomID? = "room_1") -> String {
            let verdict = verdict("data.read", context: ["data_access": access], room: room)
            return "\(verdict.decision.rawValue) \(verdict.reasonCode)"
        }
        #expect(decision(["label": "public"]) == "allow default_allow")
        #expect(decision(["label": "restricted", "label_room_id": "room_1"]) == "allow default_allow")
        #expect(
            decision(["label": "restricted", "label_room_id": "room_2"]) == "deny data_access_restricted_room_mismatch")
        #expect(decision(["label": "restricted"]) == "deny data_access_restricted_room_mismatch")
        #expect(
            decision(["label": "restricted", "label_room_id": "room_1"], room: nil)
                == "deny data_access_restricted_room_mismatch")
        for label in ["confidential", "sensitive_pii"] {
            #expect(decision(["label": .string(label)]) == "allow default_allow")
            #expect(
                decision(["label": .string(label), "purpose_hint_mismatch": true])
                    == "require_approval data_access_purpose_hint_mismatch")
            #expect(
                decision(["label": .string(label), "purpose_hint_mismatch": true, "justification_provided": true])
                    == "allow default_allow")
        }
    }
}

struct KillSwitchTests {
    @Test("It is engaged while the operator or the environment says so, and each change has its number")
    func sources() throws {
        var world = World()
        let steps: [(Bool, KillSwitchSource, Bool, Int64)] = [
            (true, .operator, true, 1), (true, .operator, true, 1), (true, .environment, true, 2),
            (false, .operator, true, 3), (false, .operator, true, 3), (false, .environment, false, 4),
            (false, .environment, false, 4), (true, .environment, true, 5),
        ]
        for (engaged, source, isEngaged, epoch) in steps {
            world.pass(1)
            try world.setKillSwitch(engaged, source)
            #expect(world.killSwitch.isEngaged == isEngaged && world.killSwitch.epoch == epoch)
        }
        #expect(world.events.count == 5)
        #expect(world.killSwitch.changedAt == world.now && world.killSwitch.reason == "test")
        #expect(world.events.allSatisfy { $0.envelope.workspaceID == .system })
    }

    @Test("No two changes have the same number, however they come")
    func epochs() throws {
        var world = World()
        let entropy = SeededEntropy(seed: 5)
        for byte in entropy.bytes(200) {
            try world.setKillSwitch(byte & 1 == 0, byte & 2 == 0 ? .operator : .environment)
        }
        #expect(world.killSwitch.epoch == Int64(world.events.count))
    }
}
