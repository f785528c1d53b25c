import APIClient
import JSON
import Shared
import TestSupport
import Testing

@Suite("An approval")
struct ApprovalTests {
    /// A run whose one step wants to write outside.
    private func asked(_ api: TestAPI) throws -> (hold: Hold, step: StepID, approval: String, call: String) {
        _ = try api.run(in: api.room(), Plans.publish)
        let hold = try api.hold()
        let step = try hold.step("a", kind: "http")
        let answer = try hold.publish(step)
        guard answer.status == 202 else { throw TestFailure("not asked: \(answer.text)") }
        return (hold, step, answer[text: "approval_id"], answer[text: "tool_call_id"])
    }

    private func decide(_ api: TestAPI, _ approval: String, _ decision: String, _ more: JSONObject = [:]) throws
        -> Answered
    {
        var body = more
        body["decision"] = .string(decision)
        return try api.operator.post("/v1/approvals/\(approval)/decide", .object(body))
    }

    @Test("is asked for, given, used, and each of it is history", arguments: Transports.allCases)
    func flow(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let (hold, step, approval, call) = try asked(api)
            let shown = try api.operator.get("/v1/approvals/\(approval)")["approval"]
            #expect(shown?["status"] == "pending")
            #expect(shown?["action"] == "external.write")
            #expect(shown?["tool_call_id"] == .string(call))
            #expect(shown?["request"]?["arguments"]?["url"] == "https://example.org/reports")
            // Asking again while it is open opens no second one.
            let before = try api.lastGlobalSeq()
            let again = try hold.publish(step)
            #expect(
                (again.status, again[text: "approval_id"], again[text: "decision"]) == (
                    202, approval, "require_approval"
                ))
            #expect(try api.lastGlobalSeq() == before)
            #expect(try decide(api, approval, "approve", ["reason": "fine"]).json == ["ok": true])
            let go = try hold.publish(step)
            #expect(
                (go.status, go[text: "tool_call_id"], go[text: "reason_code"]) == (201, call, "approval_allows_action"))
            #expect(try hold.succeed(call).status == 200)
            let used = try api.operator.get("/v1/approvals/\(approval)")["approval"]
            #expect(used?["consumed_at"]?.stringValue != nil)
            #expect(
                (used?["decided_by_type"], used?["decided_by_id"], used?["decision_reason"]) == (
                    "user", "operator", "fine"
                ))
            #expect(
                try api.eventTypes(hold.runID) == [
                    "run.created", "run.started", "step.created", "policy.requires_approval", "tool.requested",
                    "approval.requested", "learning.from_failure", "constraint.learned", "approval.decided",
                    "approval.consumed", "tool.invoked", "tool.succeeded",
                ])
            let events = try api.events(hold.runID)
            #expect(events.first { $0.eventType == "policy.requires_approval" }?.data["arguments"]?["text"] == "hello")
            // The decision was caused by the request.
            #expect(events[8].causationID == events[5].eventID)
        }
    }

    @Test("that was denied ends the call with 403", arguments: Transports.allCases)
    func denied(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let (hold, step, approval, call) = try asked(api)
            #expect(try decide(api, approval, "deny", ["reason": "too early"]).status == 200)
            let answer = try hold.publish(step)
            #expect((answer.status, answer.code) == (403, "approval_denied"))
            #expect(answer[text: "detail"].contains("too early"))
            expectProblem(answer)
            #expect(try api.operator.get("/v1/toolcalls/\(call)")["tool_call"]?["status"] == "failed")
        }
    }

    @Test("on hold lets nothing through")
    func held() throws {
        try withAPI { api in
            let (hold, step, approval, _) = try asked(api)
            #expect(try decide(api, approval, "hold").status == 200)
            #expect(try hold.publish(step).status == 202)
            #expect(try api.operator.get("/v1/approvals?status=held")["approvals"]?.arrayValue?.count == 1)
            #expect(try decide(api, approval, "approve").status == 200)
            #expect(try hold.publish(step).status == 201)
        }
    }

    @Test("that has expired is worth nothing, given or not", arguments: [true, false], Transports.allCases)
    func expired(_ isApproved: Bool, _ transports: Transports) throws {
        try withAPI(transports) { api in
            let (hold, step, approval, _) = try asked(api)
            if isApproved {
                let expires = Timestamp(milliseconds: api.clock.wallMilliseconds() + 10_000).description
                #expect(try decide(api, approval, "approve", ["expires_at": .string(expires)]).status == 200)
                api.clock.advance(10_000)
                // At this very moment, whether a timer has been by or not.
                let answer = try hold.publish(step)
                #expect((answer.status, answer.code) == (403, "approval_expired"), "\(answer.text)")
            } else {
                api.clock.advance(24 * 3_600_000)
                let next = try api.hold("engine-b")
                let answer = try next.publish(step)
                #expect((answer.status, answer.code) == (403, "approval_expired"), "\(answer.text)")
            }
            try eventually("the timer to say so") {
                try api.operator.get("/v1/approvals/\(approval)")["approval"]?["status"] == "expired"
            }
            let late = try decide(api, approval, "approve")
            #expect((400..<500).contains(late.status))
            #expect(try api.eventTypes(hold.runID).contains("approval.expired"))
        }
    }

    @Test("is for exactly the arguments it was asked for")
    func drifted() throws {
        try withAPI { api in
            let (hold, step, approval, _) = try asked(api)
            _ = try decide(api, approval, "approve")
            let answer = try hold.publish(step, text: "something else")
            #expect((answer.status, answer.code) == (403, "approval_out_of_scope"))
            #expect(try api.operator.get("/v1/approvals/\(approval)")["approval"]?["consumed_at"] == .null)
            // As another call of the step it asks for its own.
            let other = try hold.publish(step, text: "something else", ordinal: 2)
            #expect(other.status == 202)
            #expect(other[text: "approval_id"] != approval)
        }
    }

    /// An approval of exactly these arguments in this run, for whichever call comes first.
    private func free(_ api: TestAPI, _ hold: Hold, _ argsHash: String) throws -> String {
        let scope: JSONValue = ["type": "once", "run_id": .string(hold.runID.rawValue), "args_hash": .string(argsHash)]
        let id = try api.operator.post("/v1/approvals", ["action": "external.write", "scope": scope])[
            text: "approval_id"]
        #expect(try decide(api, id, "approve").status == 200)
        return id
    }

    @Test("is used once: whoever comes second has to ask")
    func usedOnce() throws {
        try withAPI { api in
            let (hold, step, _, _) = try asked(api)
            let id = try free(api, hold, hold.publish(step)[text: "args_hash"])
            #expect(try hold.publish(step, ordinal: 2).status == 201)
            #expect(try api.operator.get("/v1/approvals/\(id)")["approval"]?["consumed_at"]?.stringValue != nil)
            #expect(try hold.publish(step, ordinal: 3).status == 202)
            #expect(try hold.publish(step).status == 202)
        }
    }

    @Test("asked for one call is not used up by another with the same arguments")
    func ownCall() throws {
        try withAPI { api in
            let (hold, step, approval, call) = try asked(api)
            _ = try decide(api, approval, "approve")
            #expect(try hold.publish(step, ordinal: 2).status == 202)
            let own = try hold.publish(step)
            #expect((own.status, own[text: "tool_call_id"]) == (201, call))
        }
    }

    @Test("raced for by 50 calls lets exactly one through")
    func racers() throws {
        try withAPI(.socket) { api in
            let (hold, step, _, _) = try asked(api)
            _ = try free(api, hold, hold.publish(step)[text: "args_hash"])
            let answers = try race(50) { try hold.publish(step, ordinal: $0 + 2) }
            #expect(answers.count { $0.status == 201 } == 1)
            #expect(answers.count { $0.status == 202 } == 49)
            for type in ["approval.consumed", "tool.invoked"] {
                #expect(try api.operator.get("/v1/events?event_type=\(type)")["events"]?.arrayValue?.count == 1)
            }
        }
    }

    @Test("is found however many newer ones there are")
    func manyApprovals() throws {
        try withAPI { api in
            let (hold, step, approval, call) = try asked(api)
            _ = try decide(api, approval, "approve")
            for number in 0..<55 {
                api.clock.advance(1)
                let other = try api.operator.post(
                    "/v1/approvals",
                    ["action": "external.write", "scope": ["type": "once", "args_hash": .string("sha256:\(number)")]])
                _ = try decide(api, other[text: "approval_id"], "approve")
            }
            let go = try hold.publish(step)
            #expect((go.status, go[text: "tool_call_id"]) == (201, call))
        }
    }

    @Test("given before a restart is good after it", arguments: Transports.allCases)
    func restart(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let (hold, step, approval, _) = try asked(api)
            _ = try hold.onRun("park", ["waits": [["kind": "approval", "approval_id": .string(approval)]]])
            try api.restart()
            #expect(try decide(api, approval, "approve").status == 200)
            try api.restart()
            let next = try api.hold("engine-b")
            #expect(next.runID == hold.runID)
            #expect(try next.publish(step).status == 201)
        }
    }

    @Test("is decided by its rules: what may follow what")
    func redecide() throws {
        try withAPI { api in
            func fresh(_ decisions: String...) throws -> String {
                let id = try api.operator.post("/v1/approvals", ["action": "external.write", "title": "t"])[
                    text: "approval_id"]
                for decision in decisions { _ = try decide(api, id, decision) }
                return id
            }
            for decision in ["approve", "deny", "hold"] {
                #expect(try decide(api, fresh(), decision).status == 200)
                #expect(try decide(api, fresh("hold"), decision).status == 200)
                let denied = try decide(api, fresh("deny"), decision)
                #expect((denied.status, denied.code) == (409, "approval_already_decided"))
            }
            #expect(try decide(api, fresh("approve"), "deny").status == 200)
            for decision in ["approve", "hold"] {
                #expect(try decide(api, fresh("approve"), decision).code == "approval_already_decided")
            }
            #expect(try decide(api, fresh("approve", "deny"), "approve").code == "approval_already_decided")
            for word in ["", "APPROVE", "yes"] {
                let answer = try decide(api, fresh(), word)
                #expect((answer.status, answer.code) == (400, "invalid_decision"))
            }
            #expect(try api.operator.post("/v1/approvals/\(fresh())/decide").code == "invalid_decision")
            #expect(try decide(api, "appr_nothing", "approve").code == "approval_not_found")
        }
    }

    @Test("taken back before it was used lets nothing through, and used up cannot be taken back")
    func revoked() throws {
        try withAPI { api in
            let (hold, step, approval, _) = try asked(api)
            _ = try decide(api, approval, "approve")
            #expect(try decide(api, approval, "deny").status == 200)
            #expect(try hold.publish(step).code == "approval_denied")
            // No is no, however often it is asked.
            let before = try api.lastGlobalSeq()
            for tryNo in 1...3 { #expect(try hold.publish(step, tryNo: tryNo).code == "approval_denied") }
            #expect(try api.lastGlobalSeq() == before)
            // Another call asks for itself.
            let second = try hold.publish(step, ordinal: 2)
            #expect(second.status == 202)
            _ = try decide(api, second[text: "approval_id"], "approve")
            #expect(try hold.publish(step, ordinal: 2).status == 201)
            #expect(try decide(api, second[text: "approval_id"], "deny").code == "approval_already_decided")
        }
    }

    @Test("of a wider scope lets through what it covers, and only that")
    func scopes() throws {
        try withAPI { api in
            let room = try api.room()
            let run = try api.run(in: room, Plans.publish)
            let hold = try api.hold()
            let step = try hold.step("a", kind: "http")
            func approve(_ scope: JSONValue) throws {
                let id = try api.operator.post("/v1/approvals", ["action": "external_write", "scope": scope])[
                    text: "approval_id"]
                #expect(try decide(api, id, "approve").status == 200)
            }
            try approve(["type": "room", "room_id": "room_other"])
            try approve(["type": "run", "run_id": "run_other"])
            try approve(["type": "template", "template_ref": "x"])
            try approve(["type": "once", "args_hash": "sha256:other"])
            #expect(try hold.publish(step).status == 202)
            try approve(["type": "run", "run_id": .string(run.rawValue)])
            for ordinal in 2...4 { #expect(try hold.publish(step, ordinal: ordinal).status == 201) }
            #expect(
                try api.operator.post("/v1/approvals", ["action": "x", "scope": ["type": "galaxy"]]).code
                    == "invalid_scope")
            #expect(
                try api.operator.post("/v1/approvals", ["action": "x", "scope": ["type": "once"]]).code
                    == "invalid_scope")
            #expect(try api.operator.post("/v1/approvals", ["title": "x"]).code == "missing_action")
        }
    }

    @Test("can be asked for by a step, and lets the step go on")
    func approvalTool() throws {
        try withAPI { api in
            _ = try api.run(in: api.room(), Plans.step("approval", ["title": "Ship it?", "request": ["what": "v2"]]))
            let hold = try api.hold()
            let step = try hold.step("a", kind: "approval")
            let input: JSONValue = ["title": "Ship it?", "request": ["what": "v2"]]
            let answer = try hold.call(step, "approval", input)
            #expect(answer.status == 202)
            let shown = try api.operator.get("/v1/approvals/\(answer[text: "approval_id"])")["approval"]
            #expect((shown?["title"], shown?["request"]) == ("Ship it?", ["what": "v2"]))
            _ = try decide(api, answer[text: "approval_id"], "approve")
            #expect(try hold.call(step, "approval", input).status == 201)
        }
    }
}
