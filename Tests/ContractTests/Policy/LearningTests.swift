import APIClient
import HTTP
import JSON
import Shared
import TestSupport
import Testing

@Suite("A refusal by policy")
struct LearningTests {
    private func constraints(_ api: TestAPI, _ query: String = "") throws -> [JSONValue] {
        try api.operator.get("/v1/constraints\(query)")["constraints"]?.arrayValue ?? []
    }

    @Test(
        "is learned from, and the second time it is a mistake repeated; exactly once", arguments: Transports.allCases)
    func evaluated(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let room = try api.room()
            let body: JSONValue = [
                "action": "launch", "room_id": .string(room.rawValue), "zone": "high_stakes",
                "context": ["what": "rocket"],
            ]
            for _ in 0..<3 { _ = try api.operator.post("/v1/policy/evaluate", body) }
            let events = try api.operator.call(
                .events, Nothing(), query: [("room_id", room.rawValue), ("limit", "200")]
            ).events.dropFirst()
            let lesson = ["policy.denied", "learning.from_failure", "constraint.learned"]
            #expect(events.map(\.eventType) == lesson + lesson + ["mistake.repeated"] + lesson)
            // Each group is a chain with a correlation of its own, on the room's stream.
            var previous: EventRow?
            for event in events {
                if event.eventType != "policy.denied" {
                    #expect(event.causationID == previous?.eventID)
                    #expect(event.correlationID == previous?.correlationID)
                }
                #expect((event.streamID, event.zone) == (room.rawValue, .highStakes))
                #expect(event.actorID == "operator")
                previous = event
            }
            let learned = events.filter { $0.eventType == "constraint.learned" }
            #expect(learned.map { $0.data["seen_count"] } == [1, 2, 3])
            #expect(learned.map { $0.data["repeat_count"] } == [1, 2, 3])
            #expect(Set(learned.map { $0.data["constraint_id"] }).count == 1)
            let failure = events.first { $0.eventType == "learning.from_failure" }?.data
            #expect((failure?["category"], failure?["decision"], failure?["blocked"]) == ("action", "deny", true))
            #expect(failure?["context"] == ["what": "rocket"])
            #expect(failure?["policy_event_id"] == events.first.map { .string($0.eventID.rawValue) })
            let listed = try constraints(api)
            #expect(listed.count == 1)
            #expect(
                (listed[0]["seen_count"], listed[0]["action"], listed[0]["reason_code"]) == (
                    3, "launch", "unknown_action"
                ))
            #expect(listed[0]["constraint_id"]?.stringValue?.hasPrefix("cst_") == true)
            #expect(listed[0]["constraint_id"]?.stringValue?.count == 36)
        }
    }

    @Test(
        "of a tool call teaches the engine: one lesson for a tool, whatever its arguments",
        arguments: Transports.allCases)
    func toolCalls(_ transports: Transports) throws {
        try withAPI(transports) { api in
            _ = try api.run(in: api.room(), Plans.publish)
            let hold = try api.hold()
            let step = try hold.step("a", kind: "http")
            for ordinal in 1...3 {
                #expect(try hold.publish(step, text: "t\(ordinal)", ordinal: ordinal).status == 202)
            }
            let listed = try constraints(api, "?category=tool")
            #expect(listed.count == 1)
            #expect((listed[0]["seen_count"], listed[0]["action"]) == (3, "external.write"))
            let repeated = try api.events(hold.runID).filter { $0.eventType == "mistake.repeated" }
            #expect(repeated.count == 1 && repeated.first?.actorID == "engine-a")
            // A call that waits and asks again has said nothing new.
            let before = try api.lastGlobalSeq()
            for _ in 0..<5 { #expect(try hold.publish(step, text: "t1").status == 202) }
            #expect(try api.lastGlobalSeq() == before)
        }
    }

    @Test("under the kill switch is recorded each time, and learned from no more than ten times a minute")
    func bounded() throws {
        try withAPI { api in
            _ = try api.run(in: api.room(), Plans.publish)
            let hold = try api.hold()
            let step = try hold.step("a", kind: "http")
            _ = try api.operator.post("/v1/kill-switch", ["engaged": true])
            for _ in 0..<25 { #expect(try hold.publish(step).code == "kill_switch_active") }
            func counts() throws -> [String: Int] {
                Dictionary(grouping: try api.eventTypes(hold.runID)) { $0 }.mapValues(\.count)
            }
            #expect(try counts()["policy.denied"] == 25)
            #expect(try counts()["learning.from_failure"] == 10)
            #expect(try counts()["constraint.learned"] == 10)
            #expect(try counts()["mistake.repeated"] == 1)
            #expect(try constraints(api)[0]["guidance"]?.stringValue?.contains("kill switch") == true)
        }
    }

    @Test("is learned without what must not be kept")
    func sanitized() throws {
        try withAPI { api in
            let secret = "ghp_abcdefghijklmnopqrstuvwxyz0123456789"
            _ = try api.operator.post(
                "/v1/policy/evaluate",
                [
                    "action": "launch",
                    "context": ["note": .string("see \(secret)"), "password": "hunter2", "a": ["b": ["c": ["d": 1]]]],
                ])
            let failure = try api.operator.get("/v1/events?event_type=learning.from_failure")["events"]?[0]
            #expect(
                failure?["data"]?["context"] == [
                    "note": "[REDACTED_SECRET]", "password": "[REDACTED]", "a": ["b": ["c": ["d": "[TRUNCATED]"]]],
                ])
            #expect(failure?["contains_secrets"] == false)
        }
    }

    @Test("is somebody's own lesson: lists filter, page and keep to the workspace", arguments: Transports.allCases)
    func lists(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let engine = try api.engine("engine-a")
            for number in 0..<5 {
                api.clock.advance(1)
                _ = try api.operator.post("/v1/policy/evaluate", ["action": .string("launch.\(number)")])
                _ = try engine.post("/v1/policy/evaluate", ["action": .string("launch.\(number)")])
            }
            let all = try constraints(api)
            #expect(all.count == 10)
            var (paged, cursor): ([JSONValue], String?) = ([], "")
            while let next = cursor {
                let page = try api.operator.get("/v1/constraints?limit=3" + (next.isEmpty ? "" : "&cursor=\(next)"))
                paged += page["constraints"]?.arrayValue ?? []
                cursor = page["next_cursor"]?.stringValue
            }
            #expect(paged == all)
            let principal = all[0]["principal_id"]?.stringValue ?? ""
            let own = try constraints(api, "?principal_id=\(principal)")
            #expect(own.count == 5 && own.allSatisfy { $0["principal_id"] == .string(principal) })
            #expect(try constraints(api, "?agent_id=agt_1").isEmpty)
            #expect(try constraints(api, "?category=data").isEmpty)
            #expect(try constraints(api, "?category=action").count == 10)
            let wrong = try api.operator.get("/v1/constraints?category=moon")
            #expect((wrong.status, wrong.code) == (400, "invalid_field"))
            #expect(try api.operator(in: "ws_other").get("/v1/constraints")["constraints"] == [])
        }
    }

    @Test("and its lessons outlive a restart, and go on counting")
    func restart() throws {
        try withAPI { api in
            _ = try api.operator.post("/v1/policy/evaluate", ["action": "launch"])
            try api.restart()
            _ = try api.operator.post("/v1/policy/evaluate", ["action": "launch"])
            #expect(try constraints(api)[0]["seen_count"] == 2)
            #expect(try api.operator.get("/v1/events?event_type=mistake.repeated")["events"]?.arrayValue?.count == 1)
        }
    }
}
