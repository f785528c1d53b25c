import API
import APIClient
import HTTP
import JSON
import Shared
import TestSupport
import Testing

@Suite("The kill switch")
struct KillSwitchTests {
    private static let setting = "POLICY_KILL_SWITCH_EXTERNAL_WRITE"

    /// A run with an external write that has been approved.
    private func approved(_ api: TestAPI, _ plan: JSONValue = Plans.publish) throws -> (
        hold: Hold, step: StepID, call: String
    ) {
        _ = try api.run(in: api.room(), plan)
        let hold = try api.hold()
        let step = try hold.step("a", kind: "http")
        let asked = try hold.publish(step)
        _ = try api.operator.post("/v1/approvals/\(asked[text: "approval_id"])/decide", ["decision": "approve"])
        return (hold, step, asked[text: "tool_call_id"])
    }

    @Test("holds external writes, approved or not, and nothing else", arguments: Transports.allCases)
    func byCommand(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let (hold, step, call) = try approved(api)
            let set = try api.operator.post("/v1/kill-switch", ["engaged": true, "reason": "smells odd"])
            #expect((set.status, set["engaged"]) == (200, true))
            #expect(set["kill_switch"]?["reason"] == "smells odd")
            #expect(try api.stranger.get("/health")["kill_switch"] == true)
            for ordinal in [1, 2] {
                let refused = try hold.publish(step, ordinal: ordinal)
                #expect((refused.status, refused.code) == (403, "kill_switch_active"))
                #expect(refused["details"]?["parkable"] == true)
                expectProblem(refused)
            }
            #expect(
                try api.eventTypes(hold.runID).suffix(4) == [
                    "policy.denied", "learning.from_failure", "constraint.learned", "mistake.repeated",
                ])
            #expect(try hold.onRun("lease/heartbeat")["kill_switch"] == true)
            #expect(try hold.call(step, "shell", ["argv": ["wc"]], ordinal: 3).status == 201)
            #expect(
                try hold.call(step, "http", ["method": "GET", "url": "https://example.org/"], ordinal: 4).status == 201)
            #expect(
                try hold.call(step, "shell", ["argv": ["wc"], "network": true], ordinal: 5).code == "kill_switch_active"
            )
            // Lifted, the approval is as good as before.
            #expect(try api.operator.post("/v1/kill-switch", ["engaged": false])["engaged"] == false)
            let go = try hold.publish(step)
            #expect((go.status, go[text: "tool_call_id"]) == (201, call))
        }
    }

    @Test(
        "is set by the environment and re-read on reload; only the environment lifts that",
        arguments: Transports.allCases)
    func byEnvironment(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let (hold, step, _) = try approved(api)
            try api.reload([Self.setting: "1"])
            try eventually("the reload") { try api.operator.get("/v1/kill-switch")["engaged"] == true }
            #expect(try hold.publish(step).code == "kill_switch_active")
            #expect(try hold.onRun("park", ["waits": [["kind": "halt"]]])["status"] == "waiting")
            let lifted = try api.operator.post("/v1/kill-switch", ["engaged": false])
            #expect((lifted.status, lifted["engaged"]) == (200, true))
            #expect(try api.status(hold.runID) == .waiting)
            // It survives a restart, as the environment says.
            try api.restart()
            #expect(try api.operator.get("/v1/kill-switch")["kill_switch"]?["engaged_by_environment"] == true)
            try api.reload([Self.setting: "0"])
            try api.wait(for: hold.runID, .queued)
            #expect(try api.hold("engine-b").publish(step).status == 201)
        }
    }

    @Test("of both kinds holds until both are lifted")
    func bothSources() throws {
        try withAPI(settings: [Self.setting: "true"]) { api in
            #expect(try api.operator.get("/v1/kill-switch")["engaged"] == true)
            _ = try api.operator.post("/v1/kill-switch", ["engaged": true])
            try api.reload([Self.setting: "off"])
            try eventually("the reload") {
                try api.operator.get("/v1/kill-switch")["kill_switch"]?["engaged_by_environment"] == false
            }
            #expect(try api.operator.get("/v1/kill-switch")["engaged"] == true)
            #expect(try api.operator.post("/v1/kill-switch", ["engaged": false])["engaged"] == false)
        }
    }

    @Test("answers at once when what was let through has been reported as ended", arguments: Transports.allCases)
    func waitsForReport(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let (hold, step, call) = try approved(api)
            #expect(try hold.publish(step).status == 201)
            let client = api.operator
            let set = Beside { try client.post("/v1/kill-switch", ["engaged": true]) }
            try eventually("the switch to be set") { try api.operator.get("/v1/kill-switch")["engaged"] == true }
            #expect(!set.isDone)
            #expect(try api.operator.get("/v1/kill-switch")["unconfirmed"] == [.string(call)])
            #expect(try hold.succeed(call).status == 200)
            let answer = try set.value()
            #expect((answer.status, answer["engaged"], answer["unconfirmed"]) == (200, true, []))
        }
    }

    @Test("answers when the last permit has run out, and names what was not reported", arguments: Transports.allCases)
    func waitsForExpiry(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let (hold, step, call) = try approved(api)
            #expect(try hold.publish(step).status == 201)
            api.clock.advance(500)
            // Asked for again, it is good for one more second.
            #expect(try hold.publish(step)[text: "reason_code"] == "permit_renewed")
            let client = api.operator
            let set = Beside { try client.post("/v1/kill-switch", ["engaged": true]) }
            try eventually("the switch to be set") { try api.operator.get("/v1/kill-switch")["engaged"] == true }
            api.clock.advance(900)
            try api.passTicks()
            #expect(!set.isDone)
            #expect(try hold.publish(step).code == "kill_switch_active")
            api.clock.advance(100)
            let answer = try set.value()
            #expect((answer.status, answer["unconfirmed"]) == (200, [.string(call)]))
        }
    }

    @Test("does not wait for what never leaves the machine")
    func internalPermits() throws {
        try withAPI { api in
            _ = try api.run(in: api.room())
            let hold = try api.hold()
            #expect(try hold.call(hold.step("a"), "shell", ["argv": ["wc"]]).status == 201)
            let answer = try api.operator.post("/v1/kill-switch", ["engaged": true])
            #expect((answer.status, answer["unconfirmed"]) == (200, []))
        }
    }

    @Test("names an external call that was not reported, behind however many others")
    func unconfirmedBehindOthers() throws {
        try withAPI { api in
            var plan = Plans.publish.objectValue ?? [:]
            plan["limits"] = ["max_tool_calls": 300]
            let (hold, step, call) = try approved(api, .object(plan))
            for ordinal in 2...210 {
                #expect(try hold.call(step, "file.read", ["path": "a"], ordinal: ordinal).status == 201)
            }
            api.clock.advance(5)
            #expect(try hold.publish(step).status == 201)
            api.clock.advance(1_000)
            #expect(try api.operator.post("/v1/kill-switch", ["engaged": true])["unconfirmed"] == [.string(call)])
            // To an engine of another workspace these are nobody's.
            #expect(try api.engine("engine-z", in: "ws_other").get("/v1/kill-switch")["unconfirmed"] == [])
        }
    }

    @Test("asked for twice with one key is not answered before it holds")
    func twins() throws {
        try withAPI { api in
            let (hold, step, call) = try approved(api)
            #expect(try hold.publish(step).status == 201)
            let client = api.operator
            let sets = (0..<2).map { _ in
                Beside { try client.post("/v1/kill-switch", ["engaged": true], fields: [.idempotencyKey: "stop-1"]) }
            }
            try eventually("the switch to be set") { try api.operator.get("/v1/kill-switch")["engaged"] == true }
            try api.passTicks()
            #expect(!sets[0].isDone && !sets[1].isDone)
            _ = try hold.succeed(call)
            for set in sets { #expect(try set.value()["engaged"] == true) }
        }
    }

    @Test("does not say that all is still when the api stops before it is")
    func drained() throws {
        try withAPI(.socket) { api in
            let (hold, step, _) = try approved(api)
            #expect(try hold.publish(step).status == 201)
            let client = api.operator
            let set = Beside { try client.post("/v1/kill-switch", ["engaged": true]) }
            try eventually("the switch to be set") { try api.operator.get("/v1/kill-switch")["engaged"] == true }
            try api.restart()
            let answer = try set.value()
            #expect(answer.status == 503)
            #expect(try api.operator.get("/v1/kill-switch")["engaged"] == true)
        }
    }

    @Test("waits after a start for permits of the process before")
    func permitsBefore() throws {
        try withAPI { api in
            let (hold, step, _) = try approved(api)
            #expect(try hold.publish(step).status == 201)
            // `restart` lets two seconds pass; the book says so by itself.
            try api.restart()
            #expect(try api.operator.post("/v1/kill-switch", ["engaged": true]).status == 200)
        }
    }

    @Test("says in history who, when and why, once for each change", arguments: Transports.allCases)
    func history(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let room = try api.room()
            _ = try api.operator.post("/v1/kill-switch", ["engaged": true, "reason": "smells odd"])
            _ = try api.operator.post("/v1/kill-switch", ["engaged": true, "reason": "again"])
            api.clock.advance(10)
            _ = try api.operator.post("/v1/kill-switch", ["engaged": false, "reason": "all clear"])
            _ = try api.operator.post("/v1/kill-switch", ["engaged": false])
            func changes(_ query: String) throws -> [JSONValue] {
                let events = try api.operator.get("/v1/events?limit=200\(query)")["events"]?.arrayValue ?? []
                return events.filter { $0["event_type"]?.stringValue?.hasPrefix("kill_switch.") == true }
            }
            let found = try changes("&include_system=1")
            #expect(
                found.compactMap { $0["event_type"]?.stringValue } == ["kill_switch.engaged", "kill_switch.lifted"])
            #expect(found.map { $0["data"]?["reason"] } == ["smells odd", "all clear"])
            #expect(found.allSatisfy { $0["actor_type"] == "user" && $0["actor_id"] == "operator" })
            #expect(found.allSatisfy { $0["occurred_at"]?.stringValue != nil && $0["workspace_id"] == "ws_system" })
            #expect(try changes("").isEmpty)
            #expect(try changes("&include_system=1&room_id=\(room)").isEmpty)
        }
    }

    @Test("wakes the control channel of every engine")
    func control() throws {
        try withAPI { api in
            let engine = try api.engine("engine-a")
            guard case .engine(let id, _) = engine.credential else { throw TestFailure("no engine") }
            let poll = Beside { try engine.post("/v1/engines/\(id)/control", ["wait_ms": 20_000]) }
            try api.passTicks()
            #expect(!poll.isDone)
            _ = try api.operator.post("/v1/kill-switch", ["engaged": true])
            #expect(try poll.value()["kill_switch"] == true)
            let epoch = try poll.value()["kill_switch_epoch"] ?? 0
            // What it knows is no news; in vain it waits until its time is up.
            let next = Beside {
                try engine.post("/v1/engines/\(id)/control", ["wait_ms": 20_000, "kill_switch_epoch": epoch])
            }
            try api.passTicks()
            #expect(!next.isDone)
            api.clock.advance(20_000)
            #expect(try next.value().status == 200)
            #expect(try api.engine("engine-b").post("/v1/engines/\(id)/control").code == "engine_token_invalid")
        }
    }

    @Test("needs to be told what", arguments: [[:], ["engaged": .null], ["reason": "x"]] as [JSONValue])
    func missing(_ body: JSONValue) throws {
        try withAPI { api in
            let answer = try api.operator.post("/v1/kill-switch", body)
            #expect((answer.status, answer.code) == (400, "missing_field"))
        }
    }
}

extension TestAPI {
    /// Waits until the timers have looked at the clock at least once more.
    func passTicks() throws {
        let before = application.timerTicks
        try eventually("the timers to look") { application.timerTicks >= before + 2 }
    }
}
