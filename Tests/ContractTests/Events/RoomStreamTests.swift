import API
import APIClient
import HTTP
import HTTPClient
import JSON
import Platform
import Shared
import TestSupport
import Testing

@Suite("A room's stream")
struct RoomStreamTests {
    /// Appends so many events to the room, each an approval that somebody asks for.
    private static func append(_ client: APIClient, _ room: RoomID, _ count: Int) throws {
        for number in 0..<count {
            let answer = try client.post(
                "/v1/approvals",
                ["action": "external.write", "room_id": .string(room.rawValue), "title": .string("number \(number)")])
            guard answer.status == 201 else { throw TestFailure("not appended: \(answer.text)") }
        }
    }

    private func log(_ api: TestAPI, _ room: RoomID) throws -> [JSONValue] {
        var (rows, cursor) = ([JSONValue](), "0")
        while !cursor.isEmpty {
            let page = try api.operator.get("/v1/events?limit=200&room_id=\(room)&cursor=\(cursor)")
            rows += page["events"]?.arrayValue ?? []
            cursor = page["next_cursor"]?.stringValue ?? ""
        }
        return rows
    }

    @Test("begins where the client says, and goes on with what is new", arguments: Transports.allCases)
    func follows(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let room = try api.room()
            let client = api.operator
            try Self.append(client, room, 9)
            for start in [0, 4, 10] as [Int64] {
                let follower = Beside { () -> [SSEEvent] in
                    let follower = Follower(api, room: room, from: start)
                    try follower.read(until: start == 10 ? 15 : 10)
                    return follower.events
                }
                if start == 10 {
                    try eventually("the follower") { api.application.followerCount == 1 }
                    try Self.append(client, room, 5)
                }
                let events = try follower.value()
                #expect(events.compactMap { Int64($0.id) } == Array(start + 1...(start == 10 ? 15 : 10)))
                // No `event:` line: browsers would not deliver it.
                #expect(events.allSatisfy { $0.event == "message" })
            }
            // What is streamed is what the log has.
            let follower = Follower(api, room: room)
            try follower.read(until: 15)
            for (event, row) in zip(follower.events, try log(api, room)) {
                let streamed = try JSON.parse(event.data)
                for (key, value) in streamed.objectValue ?? [:] { #expect(row[key] == value, "\(key)") }
                #expect(streamed["redaction_level"] == nil)
            }
        }
    }

    @Test("begins behind Last-Event-ID, whatever the address says", arguments: Transports.allCases)
    func lastEventID(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let room = try api.room()
            try Self.append(api.operator, room, 9)
            let request = api.operator.request(
                .get, "/v1/streams/rooms/\(room)?from_seq=1", fields: [.lastEventID: "8"])
            var parser = SSEParser()
            var (ids, head) = ([String](), HTTPResponse(.ok))
            try api.transport.stream(request) {
                head = $0
            } onBytes: { bytes in
                ids += try parser.receive(bytes).map(\.id)
                return ids.count < 2
            }
            #expect(ids == ["9", "10"])
            #expect(head.fields[.contentType] == "text/event-stream; charset=utf-8")
            #expect(head.fields[.cacheControl] == "no-cache, no-transform")
            #expect(head.fields[.xAccelBuffering] == "no")
            #expect(head.fields[.xRequestID] != nil)
        }
    }

    @Test("refuses a place that is none", arguments: ["x", "-1", "1.5", "99", "9223372036854775808", "01", "1 2"])
    func badPlaces(_ place: String) throws {
        try withAPI { api in
            let room = try api.room()
            let query = PercentEncoding.query([("from_seq", place)])
            for (target, fields) in [("\(query)", [:]), ("", [.lastEventID: place])] as [(String, HTTPFields)] {
                let answer = try api.operator.get("/v1/streams/rooms/\(room)\(target)", fields: fields)
                #expect((answer.status, answer.code) == (400, "invalid_cursor"))
                expectProblem(answer)
            }
            #expect(try api.operator.get("/v1/streams/rooms/room_x").code == "room_not_found")
        }
    }

    @Test("gives every event exactly once to followers that are cut off at random bytes while events come")
    func cuts() throws {
        try withAPI(.socket) { api in
            let room = try api.room()
            let entropy = SeededEntropy(seed: 7)
            let followers = (0..<12).map { number in
                Beside { () -> (seqs: [Int64], data: [String], connections: Int) in
                    let follower = Follower(api, room: room)
                    try follower.read(until: 401) { Int(entropy.integer(in: 1...(number < 3 ? 3_000 : 40_000))) }
                    return (follower.seqs, follower.events.map(\.data), follower.connections)
                }
            }
            let clients = [api.operator, api.operator(in: nil)]
            _ = try race(8) { number in try Self.append(clients[number % 2], room, 50) }
            let expected = Array(1...Int64(401))
            var first: [String]?
            for follower in followers {
                let found = try follower.value(milliseconds: 60_000)
                #expect(found.seqs == expected)
                #expect(found.connections > 2)
                #expect(found.data == first ?? found.data)
                first = found.data
            }
        }
    }

    @Test("goes on after the api was started again")
    func restart() throws {
        try withAPI(.socket) { api in
            let room = try api.room()
            try Self.append(api.operator, room, 5)
            let first = Follower(api, room: room)
            try first.read(until: 6)
            try api.restart()
            try Self.append(api.operator, room, 5)
            let second = Follower(api, room: room, from: 6)
            try second.read(until: 11)
            #expect(first.seqs + second.seqs == Array(1...11))
        }
    }

    @Test("costs the log nothing more for 200 followers")
    func manyFollowers() throws {
        try withAPI(.socket) { api in
            let room = try api.room()
            guard let address = api.address else { throw TestFailure("no socket") }
            let peers = try (0..<200).map { _ in try RawPeer(address) }
            for peer in peers {
                peer.send(
                    "GET /v1/streams/rooms/\(room)?from_seq=1 HTTP/1.1\r\nHost: localhost:\(address.port)\r\n"
                        + "Authorization: Bearer \(api.application.operatorToken)\r\n\r\n")
            }
            try eventually("all to follow") { api.application.followerCount == 200 }
            let before = api.application.followerLogReads
            try Self.append(api.operator, room, 50)
            for peer in peers {
                var text = ""
                while !text.contains("id: 51\n") {
                    guard let bytes = try peer.read() else { throw TestFailure("a follower was dropped") }
                    text += String(decoding: bytes, as: UTF8.self)
                }
                #expect(text.split(separator: "data: {").count == 51)
            }
            #expect(api.application.followerLogReads == before)
        }
    }

    @Test("says that it lives when nothing happens for a while")
    func heartbeat() throws {
        try withAPI(.socket) { api in
            let room = try api.room()
            guard let address = api.address else { throw TestFailure("no socket") }
            let peer = try RawPeer(address)
            peer.send(
                "GET /v1/streams/rooms/\(room)?from_seq=1 HTTP/1.1\r\nHost: localhost:\(address.port)\r\n"
                    + "Authorization: Bearer \(api.application.operatorToken)\r\n\r\n")
            try eventually("the follower") { api.application.followerCount == 1 }
            var text = ""
            func read(_ wanted: String) throws {
                while !text.contains(wanted) { text += String(decoding: try peer.read() ?? [], as: UTF8.self) }
            }
            try read("\r\n\r\n")
            for _ in 0..<3 {
                text = ""
                api.clock.advance(15_000)
                try read(": keep-alive\n\n")
            }
        }
    }

    @Test("lets go of followers that have gone")
    func leaves() throws {
        try withAPI(.socket) { api in
            let room = try api.room()
            let follower = Follower(api, room: room)
            try follower.read(until: 1)
            try eventually("nobody to follow") { api.application.followerCount == 0 }
        }
    }
}
