import API
import APIClient
import HTTP
import HTTPClient
import JSON
import Platform
import Shared
import TestSupport
import Testing

@Suite("A workspace's stream")
struct WorkspaceStreamTests {
    /// Reads so many events, over as many connections as cuts demand.
    private func read(
        _ client: APIClient, _ query: String, until isDone: @escaping ([SSEEvent]) -> Bool, bytesMax: Int = .max
    ) throws -> [SSEEvent] {
        var (events, last) = ([SSEEvent](), "")
        while !isDone(events) {
            let fields: HTTPFields = last.isEmpty ? [:] : [.lastEventID: last]
            let request = client.request(.get, "/v1/streams/workspace\(query)", fields: fields)
            var (parser, bytes) = (SSEParser(), 0)
            try client.transport.stream(request) {
                #expect($0.status == .ok)
            } onBytes: { chunk in
                bytes += chunk.count
                let found = try parser.receive(chunk)
                events += found
                return bytes < bytesMax && !isDone(events)
            }
            last = parser.lastEventID.isEmpty ? last : parser.lastEventID
        }
        return events
    }

    @Test("is the workspace's part of the log, in order, whatever happens elsewhere", arguments: Transports.allCases)
    func isTheLog(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let (ours, others) = (api.operator(in: "ws_ours"), api.operator(in: "ws_others"))
            let follower = Beside { () -> [SSEEvent] in
                try read(ours, "?from_seq=0", until: { $0.count >= 60 }, bytesMax: 3_000)
            }
            _ = try race(2) { number in
                for index in 0..<60 {
                    _ = try (number == 0 ? ours : others).post("/v1/rooms", ["title": .string("room \(index)")])
                }
            }
            let events = try follower.value(milliseconds: 60_000)
            let log = try ours.get("/v1/events?limit=200")["events"]?.arrayValue ?? []
            #expect(events.map(\.id) == log.map { String($0["global_seq"]?.intValue ?? 0) })
            #expect(Set(log.compactMap { $0["workspace_id"]?.stringValue }) == ["ws_ours"])
            for (event, row) in zip(events, log) { #expect(try JSON.parse(event.data)["event_id"] == row["event_id"]) }
        }
    }

    @Test("begins now when nothing is said, and says where that is")
    func now() throws {
        try withAPI(.socket) { api in
            _ = try api.operator.post("/v1/rooms", ["title": "before"])
            let end = try api.lastGlobalSeq()
            let request = api.operator.request(.get, "/v1/streams/workspace")
            var (parser, events) = (SSEParser(), [SSEEvent]())
            let transport = api.transport
            try transport.stream(request) { _ in
            } onBytes: { chunk in
                events += try parser.receive(chunk)
                if events.isEmpty {
                    #expect(parser.lastEventID == String(end))
                    _ = try api.operator.post("/v1/rooms", ["title": "after"])
                }
                return events.isEmpty
            }
            #expect(try JSON.parse(events[0].data)["data"]?["title"] == "after")
        }
    }

    @Test("has the instance's own events for the operator who asks for them, and for nobody else")
    func system() throws {
        try withAPI { api in
            let follower = Beside { () -> [SSEEvent] in
                try read(api.operator, "?include_system=1", until: { !$0.isEmpty })
            }
            try eventually("the follower") { api.application.followerCount == 1 }
            _ = try api.operator.post("/v1/kill-switch", ["engaged": true])
            #expect(try JSON.parse(follower.value()[0].data)["event_type"] == "kill_switch.engaged")
            let owner = try api.owner().client
            #expect(try owner.get("/v1/streams/workspace?include_system=1").code == "operator_required")
        }
    }

    @Test("costs no read of the log for each event of another workspace")
    func quiet() throws {
        try withAPI { api in
            let follower = Beside { () -> [SSEEvent] in
                try read(api.operator, "?from_seq=0", until: { !$0.isEmpty })
            }
            try eventually("the follower") { api.application.followerCount == 1 }
            let before = api.application.followerLogReads
            for _ in 0..<50 { _ = try api.operator(in: "ws_others").post("/v1/rooms", ["title": "a"]) }
            #expect(api.application.followerLogReads - before <= 2)
            _ = try api.operator.post("/v1/rooms", ["title": "a"])
            _ = try follower.value()
        }
    }

    @Test("refuses a place that is none", arguments: ["x", "-1", "1.5", "999999"])
    func badPlaces(_ place: String) throws {
        try withAPI { api in
            let answer = try api.operator.get("/v1/streams/workspace?from_seq=\(place)")
            #expect((answer.status, answer.code) == (400, "invalid_cursor"))
        }
    }
}
