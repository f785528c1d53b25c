import APIClient
import HTTP
import JSON
import Shared
import TestSupport
import Testing

@Suite("An idempotency key")
struct IdempotencyTests {
    @Test("brings the same answer again, byte for byte, and does nothing twice", arguments: Transports.allCases)
    func replay(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let room = try api.room()
            let bodies: [(String, JSONValue)] = [
                ("/v1/rooms", ["title": "once"]),
                ("/v1/runs", ["room_id": .string(room.rawValue), "title": "once"]),
                ("/v1/approvals", ["action": "external.write"]),
                ("/v1/policy/evaluate", ["action": "external.write"]),
            ]
            for (target, body) in bodies {
                let first = try api.operator.post(target, body, fields: [.idempotencyKey: "key-1"])
                #expect(first.status < 300)
                #expect(first.response.fields[.idempotentReplayed] == nil)
                let before = try api.lastGlobalSeq()
                for key in ["key-1", "\"key-1\""] {
                    let again = try api.operator.post(target, body, fields: [.idempotencyKey: key])
                    #expect(again.status == first.status)
                    #expect(again.response.body == first.response.body)
                    #expect(again.response.fields[.idempotentReplayed] == "true")
                    #expect(again.response.fields[.contentType] == "application/json")
                }
                #expect(try api.lastGlobalSeq() == before)
                var changed = body.objectValue ?? [:]
                changed["title"] = "twice"
                let other = try api.operator.post(target, .object(changed), fields: [.idempotencyKey: "key-1"])
                #expect((other.status, other.code) == (409, "idempotency_conflict"))
                #expect(try api.lastGlobalSeq() == before)
            }
        }
    }

    @Test("survives a restart, and a day")
    func survives() throws {
        try withAPI { api in
            func create() throws -> Answered {
                try api.operator.post("/v1/rooms", ["title": "a"], fields: [.idempotencyKey: "k"])
            }
            let first = try create()
            try api.restart()
            #expect(try create().response.body == first.response.body)
            api.clock.advance(24 * 3_600_000 - 60_000)
            try api.passTicks()
            #expect(try create().response.body == first.response.body)
            api.clock.advance(3_600_000)
            try eventually("the key to be forgotten") { try create().response.body != first.response.body }
        }
    }

    @Test("is of its workspace, its caller and its route")
    func scope() throws {
        try withAPI { api in
            let body: JSONValue = ["action": "external.write"]
            let key: HTTPFields = [.idempotencyKey: "same"]
            let answers = [
                try api.operator.post("/v1/approvals", body, fields: key),
                try api.operator(in: "ws_b").post("/v1/approvals", body, fields: key),
                try api.engine("engine-a").post("/v1/approvals", body, fields: key),
                try api.engine("engine-b").post("/v1/approvals", body, fields: key),
            ]
            #expect(Set(answers.map { $0[text: "approval_id"] }).count == 4)
            #expect(try api.operator.post("/v1/rooms", ["title": "a"], fields: key).status == 201)
        }
    }

    @Test("raced with by 20 twins makes one thing")
    func twins() throws {
        try withAPI(.socket) { api in
            let client = api.operator
            let before = try api.lastGlobalSeq()
            let answers = try race(20) { _ in
                try client.post("/v1/rooms", ["title": "a"], fields: [.idempotencyKey: "k"])
            }
            #expect(answers.allSatisfy { $0.status == 201 })
            #expect(Set(answers.map(\.text)).count == 1)
            #expect(answers.count { $0.response.fields[.idempotentReplayed] == nil } == 1)
            #expect(try api.lastGlobalSeq() == before + 1)
        }
    }

    @Test("of a refused request is not used up")
    func refused() throws {
        try withAPI { api in
            let key: HTTPFields = [.idempotencyKey: "k"]
            #expect(try api.operator.post("/v1/runs", ["room_id": "room_x"], fields: key).status == 404)
            let room = try api.room()
            #expect(try api.operator.post("/v1/runs", ["room_id": .string(room.rawValue)], fields: key).status == 201)
        }
    }

    @Test("keeps no answer that holds a credential or a permit")
    func credentials() throws {
        try withAPI { api in
            let key: HTTPFields = [.idempotencyKey: "k"]
            let room = try api.room()
            let made = try (0..<2).map { _ in
                try api.operator.post("/v1/engines/register", ["actor_id": "e"], fields: key)
            }
            #expect(made[0]["token"]?["engine_token"] != made[1]["token"]?["engine_token"])
            let engine = made[0]["engine"]?["engine_id"]?.stringValue ?? ""
            let issued = try (0..<2).map { _ in
                try api.operator.post("/v1/engines/\(engine)/tokens/issue", [:], fields: key)
            }
            #expect(issued[0]["token"]?["engine_token"] != issued[1]["token"]?["engine_token"])
            let runs = try [api.run(in: room), api.run(in: room)]
            let client = try api.engine("engine-a")
            let claims = try runs.map { _ in try client.post("/v1/runs/claim", [:], fields: key) }
            #expect(Set(claims.compactMap { $0["run"]?["run_id"]?.stringValue }) == Set(runs.map(\.rawValue)))
            for answer in made + issued + claims { #expect(answer.response.fields[.idempotentReplayed] == nil) }
        }
    }

    @Test("is a short visible text", arguments: ["", String(repeating: "k", count: 256), "ä"])
    func invalid(_ key: String) throws {
        try withAPI { api in
            let before = try api.lastGlobalSeq()
            let answer = try api.operator.post("/v1/rooms", ["title": "a"], fields: [.idempotencyKey: key])
            #expect((answer.status, answer.code) == (400, "invalid_idempotency_key"))
            #expect(try api.lastGlobalSeq() == before)
        }
    }
}
