import API
import APIClient
import Crypto
import HTTP
import HTTPClient
import JSON
import Platform
import Shared
import TestSupport
import Testing

@Suite("An export of the log")
struct ExportTests {
    private static let lines: HTTPFields = [.accept: "application/x-ndjson"]
    private static let cloudEvents: HTTPFields = [.accept: "application/cloudevents-batch+json"]

    /// Rooms with runs of which one was worked on, and more events than fit a page of the export.
    private func fill(_ api: TestAPI, events: Int = 40) throws -> [RoomID] {
        let rooms = [try api.room("one"), try api.room("two")]
        _ = try api.run(in: rooms[0])
        let hold = try api.hold()
        _ = try hold.call(hold.step("a"), "shell", ["argv": ["wc"]])
        for number in 0..<events {
            api.clock.advance(Int64(number % 3))
            let secret = number % 7 == 0 ? "ghp_aB3dE6gH9jK2mN5pQ8sT" : "number \(number)"
            let answer = try api.operator.post(
                "/v1/approvals",
                ["action": "data.read", "room_id": .string(rooms[number % 2].rawValue), "title": .string(secret)])
            #expect(answer.status == 201)
        }
        return rooms
    }

    private func pages(_ api: TestAPI, _ query: String = "") throws -> [JSONValue] {
        var (rows, cursor) = ([JSONValue](), "0")
        while !cursor.isEmpty {
            let page = try api.operator.get("/v1/events?limit=200&cursor=\(cursor)&\(query)")
            rows += page["events"]?.arrayValue ?? []
            cursor = page["next_cursor"]?.stringValue ?? ""
        }
        return rows
    }

    private func export(_ api: TestAPI, _ query: String = "") throws -> [JSONValue] {
        let answer = try api.operator.get("/v1/events?\(query)", fields: Self.lines)
        #expect((answer.status, answer.response.fields[.contentType]) == (200, "application/x-ndjson"))
        #expect(answer.text.isEmpty || answer.text.last == "\n")
        return try answer.text.split(separator: "\n").map { try JSON.parse(Array($0.utf8)) }
    }

    @Test("has every event once, a line each, whatever the filter", arguments: Transports.allCases)
    func lines(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let rooms = try fill(api, events: 700)
            for query in [
                "", "include_system=1", "room_id=\(rooms[1])", "stream_type=room&stream_id=\(rooms[0])&from_seq=20",
                "event_types=approval.requested,run.created", "actor_type=service",
                "event_type=nothing.ever",
            ] {
                let (found, expected) = (try export(api, query), try pages(api, query))
                #expect(found.count == expected.count, "\(query)")
                for (line, row) in zip(found, expected) {
                    for (key, value) in row.objectValue ?? [:] { #expect(line[key] == value, "\(key)") }
                }
            }
            #expect(try pages(api).count > 900)
            // A limit is one, and no page's.
            #expect(try export(api, "limit=650").count == 650)
            let middle = try pages(api)[400]
            let before = try export(api, "before_recorded_at=\(middle["recorded_at"]?.stringValue ?? "")")
            #expect(before.count <= 400 && before.count > 300)
        }
    }

    @Test("can be verified by who has nothing but its lines: every digest, hash and link")
    func verifiable() throws {
        try withAPI { api in
            _ = try fill(api)
            var heads: [String: (seq: Int64, hash: JSONValue)] = [:]
            let lines = try export(api, "include_system=1")
            for line in lines {
                let payload = JSONObject(
                    ["data", "display", "model_context", "policy_context"].map { ($0, line[$0] ?? .null) })
                let salt = try #require(Hex.bytes(line["payload_salt"]?.stringValue ?? ""))
                #expect(salt.count == 16)
                #expect(SHA256.text(salt + JSON.canonical(.object(payload))) == line["payload_digest"]?.stringValue)
                var header = line.objectValue ?? [:]
                for key in ["data", "display", "model_context", "policy_context", "payload_salt", "global_seq"] {
                    header[key] = nil
                }
                header["event_hash"] = nil
                let key = header["idempotency_key"]?.stringValue
                header["idempotency_key"] = nil
                header["idempotency_key_digest"] = key.map { .string(SHA256.text(Array($0.utf8))) } ?? .null
                #expect(SHA256.text(JSON.canonical(.object(header))) == line["event_hash"]?.stringValue)
                let stream = "\(line["stream_type"] ?? .null)/\(line["stream_id"] ?? .null)"
                let head = heads[stream] ?? (0, .null)
                #expect(line["prev_event_hash"] == head.hash)
                #expect(line["stream_seq"]?.intValue == head.seq + 1)
                heads[stream] = (head.seq + 1, line["event_hash"] ?? .null)
            }
            #expect(lines.compactMap { $0["global_seq"]?.intValue } == Array(1...Int64(lines.count)))
            #expect(heads.count >= 4)
            #expect(!lines.contains { "\($0)".contains("ghp_aB3d") })
        }
    }

    @Test("is one array of CloudEvents when that is asked for", arguments: Transports.allCases)
    func cloudEvents(_ transports: Transports) throws {
        try withAPI(transports) { api in
            _ = try fill(api, events: 600)
            let rows = try pages(api)
            let answer = try api.operator.get("/v1/events", fields: Self.cloudEvents)
            #expect(answer.response.fields[.contentType] == "application/cloudevents-batch+json")
            let events = answer.json.arrayValue ?? []
            #expect(events.compactMap { $0["id"] } == rows.compactMap { $0["event_id"] })
            #expect(events.compactMap { $0["data"] } == rows.compactMap { $0["data"] })
            let none = try api.operator.get("/v1/events?event_type=nothing.ever", fields: Self.cloudEvents)
            #expect(none.text == "[]")
            let id = rows.last?["event_id"]?.stringValue ?? ""
            let one = try api.operator.get("/v1/events/\(id)", fields: [.accept: "application/cloudevents+json"])
            #expect(one.response.fields[.contentType] == "application/cloudevents+json")
            #expect(one.json == events.last)
        }
    }

    @Test(
        "or of one event is refused in a format that is not there, with those that are",
        arguments: ["text/html", "application/json;q=0, application/xml", "*/*;q=0"])
    func notAcceptable(_ accept: String) throws {
        try withAPI { api in
            _ = try fill(api, events: 1)
            let id = try pages(api)[0]["event_id"]?.stringValue ?? ""
            for (target, also) in [
                ("/v1/events", "application/x-ndjson"), ("/v1/events/\(id)", "application/cloudevents+json"),
            ] {
                let answer = try api.operator.get(target, fields: [.accept: accept])
                #expect((answer.status, answer.code) == (406, "not_acceptable"))
                expectProblem(answer)
                #expect(answer["details"]?["allowed"]?.arrayValue?.contains(.string(also)) == true)
                // What nobody can have is not looked for.
                #expect(try api.operator.get(target, fields: [.accept: "application/*"]).status == 200)
            }
        }
    }

    @Test("ends where the log ended when it was asked for")
    func bounded() throws {
        try withAPI(.socket) { api in
            _ = try fill(api, events: 800)
            let expected = try pages(api).count
            var (bytes, hasAdded) = ([UInt8](), false)
            let client = api.operator
            let request = client.request(.get, "/v1/events", fields: Self.lines, deadlineMilliseconds: 30_000)
            try client.transport.stream(request) { _ in
            } onBytes: { piece in
                if !hasAdded { _ = try api.room("too late") }
                hasAdded = true
                bytes += piece
                return true
            }
            #expect(bytes.count { $0 == UInt8(ascii: "\n") } == expected)
            #expect(try pages(api).count == expected + 1)
        }
    }

    @Test("is one of a few at once: more are told to come back, and those that end make room")
    func tooMany() throws {
        try withAPI(.socket) { api in
            // More than fits the sockets' buffers, so that an export that nobody reads stays under way.
            _ = try fill(api, events: 1)
            let text = String(repeating: "long ", count: 8_000)
            for _ in 0..<250 {
                _ = try api.operator.post(
                    "/v1/approvals", ["action": "data.read", "title": "t", "request": ["x": .string(text)]])
            }
            let gate = Monitor(false)
            let begun = Monitor(0)
            let client = api.operator
            let slow = (0..<4).map { _ in
                Beside { () -> Int in
                    var (count, isFirst) = (0, true)
                    let request = client.request(.get, "/v1/events", fields: Self.lines, deadlineMilliseconds: 60_000)
                    try client.transport.stream(request) { head in
                        guard head.status == .ok else { throw TestFailure("\(head.status)") }
                    } onBytes: { bytes in
                        if isFirst {
                            begun.update { $0 += 1 }
                            _ = gate.wait { $0 ? true : nil }
                        }
                        isFirst = false
                        count += bytes.count { $0 == UInt8(ascii: "\n") }
                        return true
                    }
                    return count
                }
            }
            _ = begun.wait(milliseconds: 20_000) { $0 == 4 ? true : nil }
            let refused = try client.get("/v1/events", fields: Self.lines)
            #expect((refused.status, refused.code) == (503, "overloaded"))
            #expect(refused.response.fields[.retryAfter] == "1")
            // Everybody else is served meanwhile.
            #expect(try client.get("/v1/events?limit=1").status == 200)
            #expect(try client.post("/v1/rooms", ["title": "meanwhile"]).status == 201)
            gate.update { $0 = true }
            let counts = try slow.map { try $0.value(milliseconds: 60_000) }
            #expect(Set(counts).count == 1 && counts[0] > 250)
            try eventually("room for another") {
                try client.get("/v1/events?limit=1", fields: Self.lines).status == 200
            }
        }
    }

    @Test("that its reader leaves, or only asks the head of, makes room")
    func left() throws {
        try withAPI(.socket) { api in
            _ = try fill(api, events: 400)
            let client = api.operator
            for _ in 0..<6 {
                let head = try client.exchange(.head, "/v1/events", fields: Self.lines)
                #expect(head.status == 200 && head.response.body.isEmpty)
                let request = client.request(.get, "/v1/events", fields: Self.lines)
                try eventually("room") {
                    var status = 0
                    try client.transport.stream(request) {
                        status = $0.status.code
                    } onBytes: { _ in
                        false
                    }
                    return status == 200
                }
            }
        }
    }
}
