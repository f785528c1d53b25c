import APIClient
import Crypto
import DatabaseCore
import HTTP
import JSON
import Platform
import PostgresTestSupport
import Shared
import TestSupport
import Testing

@Suite("A checkpoint")
struct CheckpointTests {
    /// The root of RFC 6962 by its recursive definition, beside the frontier that the api keeps.
    private func root(_ leaves: ArraySlice<String>) -> [UInt8] {
        if leaves.isEmpty { return SHA256.digest([]) }
        if leaves.count == 1 { return SHA256.digest([0] + Array(leaves.first!.utf8)) }
        var half = 1
        while half * 2 < leaves.count { half *= 2 }
        let middle = leaves.startIndex + half
        return SHA256.digest([1] + root(leaves[..<middle]) + root(leaves[middle...]))
    }

    private func hashes(_ api: TestAPI) throws -> [String] {
        let list = try api.operator.get("/v1/events?limit=200&include_system=1")["events"]?.arrayValue ?? []
        return try list.map { event in
            try api.operator.get("/v1/events/\(event["event_id"]?.stringValue ?? "")")["event"]?["event_hash"]?
                .stringValue ?? ""
        }
    }

    private func lines(_ api: TestAPI) throws -> [JSONValue] {
        try Files.read("\(api.folder.path)/audit/checkpoints.ndjson", bytesMax: 1 << 20)
            .split(separator: UInt8(ascii: "\n")).map { try JSON.parse(Array($0)) }
    }

    @Test("says in C2SP's form how far the log is and what its root is", arguments: Transports.allCases)
    func signed(_ transports: Transports) throws {
        try withAPI(transports) { api in
            for _ in 0..<5 { _ = try api.room() }
            let answer = try api.operator.get("/v1/audit/checkpoint")
            let (note, origin) = (answer[text: "note"], answer[text: "origin"])
            let hashes = try hashes(api)
            #expect(answer["size"] == .integer(Int64(hashes.count)))
            let root = Base64.text(root(hashes[...]))
            #expect(answer["root"] == .string(root))
            #expect(note.hasPrefix("\(origin)\n\(hashes.count)\n\(root)\n\n\u{2014} \(origin) "))
            #expect(note.split(separator: "\n").count == 4 && note.hasSuffix("\n"))
            #expect(answer[text: "verifier_key"].hasPrefix("\(origin)+"))
            // Nothing new: the same one again.
            #expect(try api.operator.get("/v1/audit/checkpoint")[text: "note"] == note)
            let key = try Files.read("\(api.folder.path)/audit.key", bytesMax: 4096)
            #expect(Files.status("\(api.folder.path)/audit.key")?.mode == 0o600 && key.count == 65)
            for who in [try api.engine("e"), api.stranger] {
                #expect([401, 403].contains(try who.get("/v1/audit/checkpoint").status))
            }
        }
    }

    @Test("is made every ten seconds, at the end, and goes on after a restart under the same origin")
    func file() throws {
        let published = try TemporaryFolder()
        try withAPI(settings: ["AOS_AUDIT_PUBLISH_DIR": published.path]) { api in
            _ = try api.room()
            let before = (try? lines(api).count) ?? 0
            api.clock.advance(10_000)
            try eventually("a checkpoint") { (try? lines(api).count) ?? 0 > before }
            let first = try lines(api)
            try api.restart()
            _ = try api.room()
            let last = try api.operator.get("/v1/audit/checkpoint")
            let all = try lines(api)
            #expect(all.prefix(first.count) == first[...])
            // The stop is in history, and signed.
            #expect(all.count >= first.count + 2)
            #expect(Set(all.map { $0["origin"] }) == [last["origin"]])
            #expect(all.last?["note"] == last["note"])
            let sizes = all.compactMap { $0["size"]?.intValue }
            #expect(sizes == sizes.sorted() && Set(sizes).count == sizes.count)
            let found = try api.operator.get("/v1/audit/verify")
            #expect((found["valid"], found["checkpoints"]?["lines"]) == (true, .integer(Int64(all.count))))
            #expect(
                String(decoding: try Files.read("\(published.path)/checkpoint", bytesMax: 4096), as: UTF8.self)
                    == last[text: "note"])
        }
    }

    /// What somebody does who can write the database and the head file.
    private static let tampering: [(String, [String])] = [
        (
            "signed",
            [
                "DELETE FROM evt_events WHERE global_seq > 1", "DELETE FROM evt_stream_heads",
                "INSERT INTO evt_stream_heads SELECT stream_type, stream_id, stream_seq + 1 FROM evt_events",
            ]
        ),
        ("not what was signed", ["UPDATE evt_events SET event_hash = 'sha256:00' WHERE global_seq = 2"]),
    ]

    @Test("is refused for a log that is not what was signed, and health says so", arguments: tampering.indices)
    func refused(_ index: Int) throws {
        let (why, statements) = Self.tampering[index]
        let api = try TestAPI(.router)
        defer { api.stop() }
        for _ in 0..<5 { _ = try api.room() }
        try api.restart {
            for trigger in [
                "evt_events_are_not_deleted", "evt_events_are_only_erased", "evt_stream_heads_are_not_deleted",
            ] {
                let table = trigger.hasPrefix("evt_events") ? "evt_events" : "evt_stream_heads"
                try api.damage(
                    TestBackends.chosen == .sqlite ? "DROP TRIGGER \(trigger)" : "DROP TRIGGER \(trigger) ON \(table)")
            }
            try api.damage("DELETE FROM evt_subjects")
            for statement in statements { try api.damage(statement) }
            try Files.remove("\(api.folder.path)/audit/heads.ndjson")
        }
        let before = try lines(api)
        let answer = try api.operator.get("/v1/audit/checkpoint")
        #expect((answer.status, answer.code) == (503, "integrity_hold"), "\(answer.text)")
        #expect(try api.operator.get("/v1/audit/export?since=2026-01-01T00:00:00Z").code == "integrity_hold")
        let found = try api.operator.get("/v1/audit/verify")
        #expect((found["valid"], found["checkpoints"]?["consistent"]) == (false, false))
        #expect(found["checkpoints"]?["detail"]?.stringValue?.contains(why) == true, "\(found)")
        let health = try api.operator.post("/v1/system/health", ["schema_version": "2.1"])
        #expect(health.text.contains("checkpoint_refused"), "\(health.text.prefix(2000))")
        api.clock.advance(20_000)
        api.stop()
        #expect(try lines(api) == before)
        #expect(!api.takeErrors().isEmpty)
    }

    @Test("file that somebody else has signed is found out")
    func forged() throws {
        let api = try TestAPI(.router)
        defer { api.stop() }
        _ = try api.room()
        try api.restart {
            var forged = try lines(api)
            var last = try #require(forged.popLast()?.objectValue)
            var note = Array((last["note"]?.stringValue ?? "").utf8)
            note[note.count - 10] = note[note.count - 10] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            last["note"] = .string(String(decoding: note, as: UTF8.self))
            let text = (forged + [.object(last)]).flatMap { JSON.canonical($0) + Array("\n".utf8) }
            try Files.writeAtomically(text, to: "\(api.folder.path)/audit/checkpoints.ndjson")
        }
        let found = try api.operator.get("/v1/audit/verify")
        #expect((found["valid"], found["checkpoints"]?["consistent"]) == (false, false), "\(found.text)")
    }
}
