import APIClient
import HTTP
import JSON
import Shared
import TestSupport
import Testing

@Suite("A request's trace")
struct TraceTests {
    @Test("takes its correlation from the header, else the body, else the request id", arguments: Transports.allCases)
    func correlation(_ transports: Transports) throws {
        try withAPI(transports) { api in
            func correlation(_ body: JSONValue, _ fields: HTTPFields = [:]) throws -> String? {
                var fields = fields
                fields.append(.xRequestID, "req_12345678")
                return try api.operator.post("/v1/rooms", body, fields: fields).response.fields[.xCorrelationID]
            }
            #expect(try correlation(["title": "a"]) == "req_12345678")
            #expect(try correlation(["title": "a", "correlation_id": "from-the-body"]) == "from-the-body")
            #expect(
                try correlation(
                    ["title": "a", "correlation_id": "from-the-body"], [.xCorrelationID: "from-the-head"])
                    == "ext_from-the-head")
            for bad: JSONValue in [
                "short", "with blanks in it", 12_345_678, .string(String(repeating: "a", count: 129)),
            ] {
                #expect(try correlation(["title": "a", "correlation_id": bad]) == "req_12345678")
            }
            // Refusals, too.
            #expect(try correlation(["correlation_id": "from-the-body"]) == "from-the-body")
            let nowhere = try api.stranger.get("/nowhere", fields: [.xCorrelationID: "from-the-head"])
            #expect(nowhere.response.fields[.xCorrelationID] == "ext_from-the-head")
            let options = try api.stranger.exchange(.options, "/v1/rooms", fields: [.xRequestID: "req_12345678"])
            #expect(options.response.fields[.xRequestID] == "req_12345678")
            let health = try api.stranger.get("/health")
            #expect(health.response.fields[.xWorkspaceID] == nil)
            let rooms = try api.operator.get("/v1/events?event_type=room.created")["events"]?.arrayValue ?? []
            #expect(
                rooms.prefix(3).map { $0["correlation_id"]?.stringValue ?? "" } == [
                    "req_12345678", "from-the-body", "ext_from-the-head",
                ])
        }
    }

    @Test("is inherited by events without a correlation of their own, and not by runs and approvals")
    func inherited() throws {
        try withAPI { api in
            let room = try api.room()
            let fields: HTTPFields = [.xCorrelationID: "from-the-head"]
            _ = try api.operator.post("/v1/policy/evaluate", ["action": "external.write"], fields: fields)
            _ = try api.operator.post("/v1/engines/register", ["actor_id": "e"], fields: fields)
            _ = try api.operator.post(
                "/v1/runs", ["room_id": .string(room.rawValue), "title": "t"], fields: fields)
            let events = try api.operator.call(.events, Nothing(), query: [("limit", "200")]).events
            func correlation(_ type: String) -> String? { events.first { $0.eventType == type }?.correlationID }
            #expect(correlation("policy.requires_approval") == "ext_from-the-head")
            #expect(correlation("engine.registered") == "ext_from-the-head")
            #expect(correlation("run.created").map { $0.contains("head") } == false)
        }
    }

    @Test("stands in the events when it is a W3C trace", arguments: Transports.allCases)
    func traceparent(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let (trace, span) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")
            func context(_ fields: HTTPFields) throws -> JSONValue? {
                let before = try api.lastGlobalSeq()
                _ = try api.operator.post("/v1/rooms", ["title": "a"], fields: fields)
                let event = try api.operator.get("/v1/events?cursor=\(before)")["events"]?[0]?["event_id"]
                return try api.operator.get("/v1/events/\(event?.stringValue ?? "")")["event"]?["policy_context"]
            }
            #expect(
                try context([.traceparent: "00-\(trace)-\(span)-01", .tracestate: "a=1"])
                    == ["trace": ["trace_id": .string(trace), "parent_id": .string(span)]])
            #expect(try context([:]) == [:])
            #expect(try context([.traceparent: "00-\(trace)-0000000000000000-01"]) == [:])
            // Beside the verdict, where there is one.
            _ = try api.run(in: api.room(), Plans.shell)
            let hold = try api.hold()
            let step = try hold.step("a")
            let call = try hold.client.post(
                "/v1/steps/\(step)/toolcalls",
                ["tool_name": "shell", "input": ["argv": ["wc"]], "claim_token": .string(hold.token)],
                fields: [.traceparent: "00-\(trace)-\(span)-01"])
            #expect(call.status == 201)
            let invoked = try #require(try api.events(hold.runID).first { $0.eventType == "tool.invoked" })
            let shown = try api.operator.get("/v1/events/\(invoked.eventID)")["event"]?["policy_context"]
            #expect(shown?["decision"] == "allow" && shown?["trace"]?["trace_id"]?.stringValue == trace)
        }
    }

    @Test("is one line of the log for each request, at debug, without bodies", arguments: Transports.allCases)
    func log(_ transports: Transports) throws {
        try withAPI(transports, settings: ["AOS_LOG_LEVEL": "debug"]) { api in
            let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
            func line(_ id: String) throws -> JSONValue {
                let lines = api.logLines.compactMap { try? JSON.parse(Array($0.utf8)) }.filter {
                    $0["event"] == "http.request" && $0["request_id"]?.stringValue == id
                }
                #expect(lines.count == 1, "\(id)")
                return lines.first ?? .null
            }
            _ = try api.operator.post(
                "/v1/rooms", ["title": "canary-in-body", "correlation_id": "from-the-body"],
                fields: [.xRequestID: "req_deferred", .traceparent: "00-\(trace)-00f067aa0ba902b7-01"])
            let deferred = try line("req_deferred")
            #expect(deferred["method"] == "POST" && deferred["route"] == "/v1/rooms" && deferred["status"] == 201)
            #expect(deferred["correlation_id"] == "from-the-body" && deferred["workspace_id"] == "ws_dev")
            #expect(deferred["trace_id"]?.stringValue == trace && deferred["span_id"]?.stringValue?.count == 16)
            #expect(deferred["duration_ms"]?.intValue != nil && deferred["level"] == "debug")
            _ = try api.operator.get("/v1/runs/nothing?x=canary-in-query", fields: [.xRequestID: "req_refused"])
            #expect(try line("req_refused")["route"] == "/v1/runs/{run_id}")
            #expect(try line("req_refused")["status"] == 404)
            _ = try api.stranger.get("/nowhere", fields: [.xRequestID: "req_nowhere"])
            #expect(try line("req_nowhere")["route"] == "-")
            let room = try api.room()
            _ = try api.operator.exchange(
                .head, "/v1/streams/rooms/\(room)", fields: [.xRequestID: "req_streamed"])
            #expect(try line("req_streamed")["status"] == 200)
            _ = try api.run(in: room)
            let hold = try api.hold()
            let step = try hold.step("a")
            let blob = digest([1, 2, 3])
            let put = try hold.client.exchange(
                .put, "/v1/steps/\(step)/blobs/\(blob)",
                fields: [.xClaimToken: hold.token, .xRequestID: "req_uploaded"], body: [1, 2, 3])
            #expect(put.status == 201)
            #expect(try line("req_uploaded")["route"] == "/v1/steps/{step_id}/blobs/{sha256}")
            #expect(!api.logLines.joined().contains("canary-in"))
        }
    }
}
