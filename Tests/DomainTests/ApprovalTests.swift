import JSON
import Shared
import Testing

@testable import Domain

struct ApprovalTests {
    /// A world whose call waits for its approval.
    private func asked() throws -> (world: World, call: ToolCallID, approval: ApprovalID) {
        var world = try World.running()
        let answer = try world.ask()
        return (world, try #require(answer.callID), try #require(answer.approvalID))
    }

    // MARK: Calls and their approvals

    @Test("An external write asks, and what it asks for is recorded")
    func asking() throws {
        let (world, call, approval) = try asked()
        #expect(world.types(after: 3) == ["policy.requires_approval", "tool.requested", "approval.requested"])
        let row = world.approvals[approval]!
        #expect(row.status == .pending && row.toolCallID == call && row.action == "external.write")
        #expect(
            row.scope?.type == .once && row.scope?.argsHash == world.calls[call]?.argsHash
                && row.scope?.runID == "run_1")
        #expect(row.expiresAt == world.now.adding(milliseconds: 24 * 3_600_000))
        #expect(row.request == ["tool": "http", "arguments": World.post])
    }

    @Test("Until it is decided the call waits, and nothing more is recorded", arguments: ["pending", "hold"])
    func undecided(_ word: String) throws {
        var (world, call, approval) = try asked()
        if word == "hold" { try world.decide(approval, "hold") }
        let before = world.events.count
        let answer = try world.ask()
        #expect(answer.word == "waiting" && answer.callID == call && answer.approvalID == approval)
        #expect(world.events.count == before)
    }

    @Test("Approved, it is used up by the dispatch, in one transaction and once")
    func approved() throws {
        var (world, call, approval) = try asked()
        try world.decide(approval, "approve")
        let before = world.events.count
        #expect(try world.ask().word == "permitted")
        #expect(world.types(after: before) == ["approval.consumed", "tool.invoked"])
        let last = world.events.suffix(2).map(\.envelope)
        #expect(last[1].causationID == last[0].eventID)
        #expect(world.approvals[approval]?.consumedAt == world.now)
        // The same holder may have lost the answer: no second use, no event.
        #expect(try world.ask().word == "permitted")
        #expect(world.events.count == before + 2)
        // Tried again, it has to be approved again.
        try world.fail(call)
        let retry = try world.ask(tryNo: 2)
        #expect(retry.word == "waiting" && retry.callID == call && retry.approvalID != approval)
    }

    @Test(
        "Denied, expired, changed or used up: each is refused with its code, and the call has failed",
        arguments: [
            "approval_denied", "approval_expired", "approval_expired by time", "approval_expired while pending",
            "approval_out_of_scope", "approval_already_consumed",
        ])
    func refused(_ how: String) throws {
        var (world, call, approval) = try asked()
        var input = World.post
        switch how {
        case "approval_denied": try world.decide(approval, "deny")
        case "approval_expired":
            world.pass(24 * 3_600_000)
            world.record([ApprovalDecider.expire(world.approvals[approval]!, world.facts(.api))!])
        case "approval_expired by time":
            try world.decide(approval, "approve")
            world.pass(24 * 3_600_000)
        case "approval_expired while pending": world.pass(24 * 3_600_000)
        case "approval_out_of_scope":
            try world.decide(approval, "approve")
            input = ["method": "POST", "url": "https://example.org/"]
        default:
            try world.decide(approval, "approve")
            let other = EventDraft(
                .approval(.consumed(ApprovalConsumed(approvalID: approval, toolCallID: "tc_other"))),
                in: world.run!.scope, by: .api)
            world.record([other])
        }
        let before = world.events.count
        let answer = try world.ask("http", input)
        #expect(how.hasPrefix(answer.word), "\(answer.word)")
        #expect(world.types(after: before) == ["tool.failed"])
        #expect(world.calls[call]?.status == .failed)
        #expect(world.calls[call]?.error["code"]?.stringValue == answer.word)
        // The next try asks anew, but a no stays a no: the same is refused again, and only other arguments are asked for.
        let after = world.events.count
        let next = try world.ask("http", input, tryNo: 1).word
        #expect(next == (how == "approval_denied" ? how : "waiting"))
        guard how == "approval_denied" else { return }
        #expect(world.events.count == after)
        #expect(try world.ask("http", ["method": "POST", "url": "https://example.org/"], tryNo: 1).word == "waiting")
    }

    @Test("Of 50 calls that one approval covers, one in turn gets through", arguments: [true, false])
    func racers(_ sameStep: Bool) throws {
        var world = try World.running()
        let hash = String(decoding: ToolCallRequest.hashed("http", World.post), as: UTF8.self)
        let draft = try ApprovalDecider.request(
            "appr_free",
            RequestApproval(
                action: "external.write", runID: "run_1",
                scope: ["type": "once", "run_id": "run_1", "args_hash": .string(hash)]),
            in: World.workspace, correlationID: "c", world.facts())
        world.record([draft])
        try world.decide("appr_free", "approve")
        var words: [String] = []
        for number in 0..<50 {
            if !sameStep { try world.open("s\(number)") }
            words.append(try world.ask(step: sameStep ? "a" : "s\(number)", ordinal: sameStep ? number + 1 : 1).word)
        }
        #expect(words == ["permitted"] + Array(repeating: "waiting", count: 49))
        #expect(world.events.filter { $0.event.type == "approval.consumed" }.count == 1)
        #expect(world.events.filter { $0.event.type == "tool.invoked" }.count == 1)
    }

    @Test("Fifty times the same call is one effect")
    func repeated() throws {
        var (world, call, approval) = try asked()
        try world.decide(approval, "approve")
        for _ in 0..<50 { #expect(try world.ask().callID == call) }
        #expect(world.events.filter { $0.event.type == "approval.consumed" }.count == 1)
        #expect(world.events.filter { $0.event.type == "tool.invoked" }.count == 1)
    }

    @Test("Two calls with the same arguments use their own approvals, in whatever order they come")
    func twins() throws {
        for order in [["a", "b"], ["b", "a"]] {
            var world = try World.running()
            try world.open("b")
            let asked = ["a": try world.ask(step: "a").approvalID!, "b": try world.ask(step: "b").approvalID!]
            #expect(asked["a"] != asked["b"])
            try world.decide(asked["a"]!, "approve")
            try world.decide(asked["b"]!, "approve")
            for step in order { #expect(try world.ask(step: step).word == "permitted", "\(step) of \(order)") }
            #expect(world.approvals.values.allSatisfy { $0.consumedAt != nil })
            for (step, approval) in asked {
                let used = world.events.compactMap { recorded -> ToolCallID? in
                    guard case .approval(.consumed(let event)) = recorded.event, event.approvalID == approval else {
                        return nil
                    }
                    return event.toolCallID
                }
                #expect(used == world.calls.values.filter { $0.stepID == StepID("step_\(step)") }.map(\.toolCallID))
            }
        }
    }

    @Test("A call's own approval counts, however many others were approved after it")
    func manyApprovals() throws {
        var (world, _, approval) = try asked()
        try world.decide(approval, "approve")
        for number in 0..<60 {
            let id = ApprovalID("other_\(number)")
            world.record([
                try ApprovalDecider.request(
                    id, RequestApproval(action: "external.write", scope: ["type": "once", "args_hash": "other"]),
                    in: World.workspace, correlationID: "c", world.facts())
            ])
            try world.decide(id, "approve")
        }
        #expect(try world.ask().word == "permitted")
        #expect(world.approvals[approval]?.consumedAt != nil)
    }

    @Test("An approval for another run, room, action or workspace covers nothing here")
    func scopes() throws {
        func word(_ scope: JSONValue, action: String = "external.write", workspace: WorkspaceID = World.workspace)
            throws -> String
        {
            var world = try World.running()
            world.record([
                try ApprovalDecider.request(
                    "appr_x", RequestApproval(action: action, scope: scope), in: workspace, correlationID: "c",
                    world.facts())
            ])
            try world.decide("appr_x", "approve")
            return try world.ask().word
        }
        #expect(try word(["type": "run", "run_id": "run_1"]) == "permitted")
        #expect(try word(["type": "run", "run_id": "run_2"]) == "waiting")
        #expect(try word(["type": "run"]) == "waiting")
        #expect(try word(["type": "room", "room_id": "room_1"]) == "permitted")
        #expect(try word(["type": "room", "room_id": "room_2"]) == "waiting")
        #expect(try word(["type": "workspace"]) == "permitted")
        #expect(try word(["type": "workspace"], workspace: "ws_other") == "waiting")
        #expect(try word(["type": "workspace"], action: "email.send") == "waiting")
        #expect(try word(["type": "workspace"], action: " external_write ") == "permitted")
        #expect(try word(["type": "template"]) == "waiting")
        #expect(try word(["type": "once", "args_hash": "other"]) == "waiting")
    }

    @Test("A wider approval lets a waiting call through, and leaves its own unused")
    func wider() throws {
        var (world, _, approval) = try asked()
        world.record([
            try ApprovalDecider.request(
                "appr_wide", RequestApproval(action: "external.write", scope: ["type": "workspace"]),
                in: World.workspace,
                correlationID: "c", world.facts())
        ])
        try world.decide("appr_wide", "approve")
        let (before, cause) = (world.events.count, world.calls.values.first?.lastEventID)
        #expect(try world.ask().word == "permitted")
        #expect(world.types(after: before) == ["tool.invoked"])
        #expect(world.events.last?.envelope.causationID == cause)
        #expect(world.approvals[approval]?.status == .pending)
    }

    @Test(
        "The kill switch beats approvals, in both modes; lifting it lets the call go on",
        arguments: [KillSwitchSource.operator, .environment])
    func killSwitch(_ source: KillSwitchSource) throws {
        var (world, call, approval) = try asked()
        try world.decide(approval, "approve")
        try world.setKillSwitch(true, source)
        for mode in [EnforcementMode.enforce, .shadow] {
            let before = world.events.count
            let answer = try world.ask(mode: mode)
            #expect(answer.word == "kill_switch_active")
            #expect(answer.rejection?.details["parkable"] == true)
            #expect(world.types(after: before) == ["policy.denied"])
        }
        #expect(world.approvals[approval]?.consumedAt == nil && world.calls[call]?.status == .waiting)
        // Reads and local work go on.
        #expect(
            try world.ask("http", ["method": "GET", "url": "https://example.com/"], ordinal: 2).word == "permitted")
        #expect(try world.ask("shell", World.shell, ordinal: 3).word == "permitted")
        try world.setKillSwitch(false, source)
        #expect(try world.ask().word == "permitted")
        // A permit is not renewed under a halt.
        try world.setKillSwitch(true, source)
        #expect(try world.ask().word == "kill_switch_active")
        #expect(world.calls[call]?.status == .running)
    }

    @Test("Shadow mode lets through and records what it would have said")
    func shadow() throws {
        var world = try World.running()
        let before = world.events.count
        #expect(try world.ask(mode: .shadow).word == "permitted")
        #expect(world.types(after: before) == ["policy.requires_approval", "tool.invoked"])
        guard case .policy(.requiresApproval(let event)) = world.events[before].event else {
            Issue.record("no policy event")
            return
        }
        #expect(!event.refusal.blocked && event.refusal.enforcementMode == .shadow)
    }

    // MARK: Deciding

    /// Status × decision → the status after it, or the code.
    @Test(
        "Each decision on each status is as the table says",
        arguments: ["pending", "held", "approved", "denied", "expired", "consumed"],
        ["approve", "deny", "hold", "maybe", nil])
    func decisions(_ status: String, _ word: String?) throws {
        var (world, _, approval) = try asked()
        switch status {
        case "held": try world.decide(approval, "hold")
        case "approved": try world.decide(approval, "approve")
        case "denied": try world.decide(approval, "deny")
        case "expired":
            world.pass(25 * 3_600_000)
            world.record([ApprovalDecider.expire(world.approvals[approval]!, world.facts())!])
        case "consumed":
            try world.decide(approval, "approve")
            _ = try world.ask()
        default: break
        }
        let row = world.approvals[approval]!
        let code = reason {
            world.record([try ApprovalDecider.decide(row, DecideApproval(decision: word), world.facts())])
        }
        let after = world.approvals[approval]!.status
        switch (status, word) {
        case (_, nil), (_, "maybe"): #expect(code == .invalidDecision)
        case ("pending", "approve"), ("held", "approve"): #expect(code == nil && after == .approved)
        case ("pending", "deny"), ("held", "deny"), ("approved", "deny"): #expect(code == nil && after == .denied)
        case ("pending", "hold"), ("held", "hold"): #expect(code == nil && after == .held)
        case ("expired", _): #expect(code == .approvalAlreadyDecided)
        default: #expect(code == .approvalAlreadyDecided)
        }
    }

    @Test("Only a user takes an approval back")
    func revoking() throws {
        var (world, _, approval) = try asked()
        try world.decide(approval, "approve")
        for actor in [Actor(.agent, "a"), Actor(.service, "s")] {
            #expect(
                reason {
                    _ = try ApprovalDecider.decide(
                        world.approvals[approval]!, DecideApproval(decision: "deny"), world.facts(actor))
                } == .approvalAlreadyDecided)
        }
        try world.decide(approval, "deny")
        #expect(world.approvals[approval]?.status == .denied)
        #expect(try world.ask().word == "approval_denied")
    }

    @Test("Expiry is at the millisecond")
    func expiry() throws {
        var (world, _, approval) = try asked()
        let end = world.now.adding(milliseconds: 500)
        try world.decide(approval, "approve", expiresAt: end)
        world.now = end.adding(milliseconds: -2)
        #expect(ApprovalDecider.expire(world.approvals[approval]!, world.facts()) == nil)
        var early = world
        #expect(try early.ask().word == "permitted")
        #expect(ApprovalDecider.expire(early.approvals[approval]!, CommandFacts(actor: .api, now: end)) == nil)
        world.now = end.adding(milliseconds: -1)
        #expect(try world.ask().word == "approval_expired")
        world.now = end
        #expect(ApprovalDecider.expire(world.approvals[approval]!, world.facts()) != nil)
        #expect(
            reason {
                _ = try ApprovalDecider.decide(
                    world.approvals[approval]!, DecideApproval(decision: "deny"), world.facts())
            } == .approvalAlreadyDecided)
    }

    @Test("A request that cannot be is refused and names the member")
    func invalid() throws {
        let world = World()
        func code(_ request: RequestApproval) -> ReasonCode? {
            reason { _ = try ApprovalDecider.request("a", request, in: "w", correlationID: "c", world.facts()) }
        }
        #expect(code(RequestApproval(action: "external.write")) == nil)
        #expect(code(RequestApproval()) == .missingAction)
        #expect(code(RequestApproval(action: " ")) == .missingAction)
        #expect(code(RequestApproval(action: "a", scope: ["type": "galaxy"])) == .invalidScope)
        #expect(code(RequestApproval(action: "a", scope: ["type": "once"])) == .invalidScope)
        #expect(code(RequestApproval(action: "a", scope: [])) == .invalidScope)
        #expect(code(RequestApproval(action: "a", expiresAt: world.now)) == .invalidField)
        #expect(code(RequestApproval(action: "a", expiresAt: world.now.adding(milliseconds: 1))) == nil)
    }
}
