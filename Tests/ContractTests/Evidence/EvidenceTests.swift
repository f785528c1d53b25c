import APIClient
import Crypto
import DatabaseCore
import DatabaseSQLite
import Domain
import EventStore
import JSON
import Platform
import Projectors
import Shared
import TestSupport
import Testing

@Suite("Evidence of a run")
struct EvidenceTests {
    /// What anybody can do with the answer alone: the hashes again.
    private func check(_ evidence: JSONValue?, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let evidence = try #require(evidence, sourceLocation: sourceLocation)
        let manifest = try #require(evidence["manifest"], sourceLocation: sourceLocation)
        let canonical = JSON.canonical(manifest)
        #expect(evidence["manifest_hash"] == .string("sha256:" + SHA256.hex(canonical)), sourceLocation: sourceLocation)
        let events = manifest["pointers"]?["events"]?.arrayValue ?? []
        if manifest["pointers"]?["events_truncated"] != true {
            let hashes = events.compactMap { $0["event_hash"]?.stringValue }.joined(separator: "\n")
            #expect(
                evidence["event_hash_root"] == .string("sha256:" + SHA256.hex(Array(hashes.utf8))),
                sourceLocation: sourceLocation)
            #expect(evidence["event_count"] == .integer(Int64(events.count)), sourceLocation: sourceLocation)
        }
        let window = manifest["stream_window"]
        for member in ["stream_type", "stream_id", "from_seq", "to_seq", "event_count"] {
            #expect(evidence[member] == window?[member], "\(member)", sourceLocation: sourceLocation)
        }
        for member in ["evidence_id", "workspace_id", "run_id", "room_id", "thread_id", "correlation_id", "run_status"]
        {
            #expect(evidence[member] == manifest[member], "\(member)", sourceLocation: sourceLocation)
        }
    }

    private func evidence(_ api: TestAPI, _ run: RunID) throws -> JSONValue {
        try #require(try api.operator.get("/v1/runs/\(run)/evidence")["evidence"])
    }

    @Test(
        "is there as soon as it has ended, and anybody can compute its hashes from the answer",
        arguments: [RunStatus.succeeded, .failed, .cancelled], Transports.allCases)
    func ended(_ status: RunStatus, _ transports: Transports) throws {
        try withAPI(transports) { api in
            let room = try api.room()
            // Others write to the same stream, and its numbers cross from one digit to two.
            let run = try api.run(in: room)
            let hold = try api.hold()
            _ = try api.run(in: room, title: "beside")
            let step = try hold.step("a")
            let call = try hold.call(step, "shell", ["argv": ["wc"]])[text: "tool_call_id"]
            for number in 0..<6 { _ = try api.run(in: room, title: "beside \(number)") }
            try hold.succeed(call)
            let artifact = try hold.post(
                "/v1/steps/\(step)/artifacts",
                ["kind": "note", "content": ["type": "text", "text": "not in the manifest"]])[text: "artifact_id"]
            switch status {
            case .succeeded: #expect(try hold.onRun("complete", ["summary": "not in the manifest"]).status == 200)
            case .failed: #expect(try hold.onRun("fail", ["message": "not in the manifest"]).status == 200)
            default:
                #expect(try api.operator.post("/v1/runs/\(run)/cancel").status == 200)
                #expect(try hold.onRun("cancelled").status == 200)
            }
            let answer = try api.operator.get("/v1/runs/\(run)/evidence")
            #expect(answer.status == 200)
            let found = try #require(answer["evidence"])
            try check(found)
            #expect(
                Set(found.objectValue?.keys ?? []) == [
                    "evidence_id", "workspace_id", "run_id", "room_id", "thread_id", "correlation_id", "run_status",
                    "manifest", "manifest_hash", "event_hash_root", "stream_type", "stream_id", "from_seq", "to_seq",
                    "event_count", "finalized_at", "created_at", "updated_at", "last_event_id",
                ])
            #expect(found["run_status"] == .string(status.rawValue))
            #expect(!answer.text.contains("not in the manifest"))
            let pointers = found["manifest"]?["pointers"]
            #expect(pointers?["step_ids"] == [.string(step.rawValue)])
            #expect(pointers?["tool_call_ids"] == [.string(call)])
            #expect(pointers?["artifact_ids"] == [.string(artifact)])
            #expect(
                found["manifest"]?["completeness"] == [
                    "terminal_event_present": true, "all_toolcalls_terminal": true, "artifact_count": 1,
                ])
            // The events of the run in its stream up to its end, with the hashes that the log has.
            let events = pointers?["events"]?.arrayValue ?? []
            #expect(events.last?["event_type"] == .string(status == .succeeded ? "run.completed" : "run.\(status)"))
            let seqs = events.compactMap { $0["stream_seq"]?.intValue }
            #expect(seqs == seqs.sorted() && seqs.count == events.count && seqs.last ?? 0 >= 10)
            #expect((found["from_seq"]?.intValue, found["to_seq"]?.intValue) == (seqs.first, seqs.last))
            let recorded = try api.events(run).filter { Int64($0.streamSeq) <= seqs.last ?? 0 }
            #expect(recorded.map(\.eventID.rawValue) == events.compactMap { $0["event_id"]?.stringValue })
            for event in events {
                let single = try api.operator.get("/v1/events/\(event["event_id"]?.stringValue ?? "")")["event"]
                for member in ["event_hash", "event_type", "occurred_at", "stream_seq"] {
                    #expect(single?[member] == event[member])
                }
            }
            let made = try #require(try api.events(run).first { $0.eventType == "evidence.manifest.created" })
            #expect(made.causationID?.rawValue == events.last?["event_id"]?.stringValue)
            let again = try api.operator.post("/v1/runs/\(run)/evidence/finalize")
            #expect((again.status, again["created"], again["evidence"]) == (200, false, found))
        }
    }

    @Test("is not there before the end, nor for others")
    func notYet() throws {
        try withAPI { api in
            let run = try api.run(in: api.room())
            let before = try api.lastGlobalSeq()
            let early = try api.operator.post("/v1/runs/\(run)/evidence/finalize")
            #expect((early.status, early.code) == (409, "run_not_ended"))
            #expect(try api.operator.get("/v1/runs/\(run)/evidence").code == "evidence_not_found")
            #expect(try api.operator.get("/v1/runs/run_none/evidence").code == "evidence_not_found")
            #expect(try api.operator.post("/v1/runs/run_none/evidence/finalize").code == "run_not_found")
            #expect(try api.lastGlobalSeq() == before)
            #expect(try api.hold().onRun("complete").status == 200)
            let theirs = api.operator(in: "ws_b")
            #expect(try theirs.get("/v1/runs/\(run)/evidence").code == "evidence_not_found")
            #expect(try theirs.post("/v1/runs/\(run)/evidence/finalize").code == "run_not_found")
        }
    }

    @Test(
        "is made once, whoever ends the run and whoever asks for it at the same moment", arguments: Transports.allCases)
    func raced(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let room = try api.room()
            for _ in 0..<5 {
                let run = try api.run(in: room)
                let hold = try api.hold()
                let answers = try race(12) { number in
                    switch number % 4 {
                    case 0: try hold.onRun("complete")
                    case 1: try hold.onRun("fail")
                    case 2: try api.operator.post("/v1/runs/\(run)/complete")
                    default: try api.operator.post("/v1/runs/\(run)/evidence/finalize")
                    }
                }
                #expect(answers.allSatisfy { [200, 409].contains($0.status) })
                #expect(try api.eventTypes(run).count { $0 == "evidence.manifest.created" } == 1)
                let found = try evidence(api, run)
                try check(found)
                for answer in answers where answer["created"] != nil {
                    #expect((answer["created"], answer["evidence"]) == (false, found))
                }
            }
        }
    }

    @Test("leaves what a call that nobody knows the outcome of as not settled")
    func openCall() throws {
        try withAPI { api in
            let run = try api.run(in: api.room())
            let hold = try api.hold()
            _ = try hold.call(hold.step("a"), "shell", ["argv": ["wc"]])
            #expect(try api.operator.post("/v1/runs/\(run)/fail").status == 200)
            #expect(
                try evidence(api, run)["manifest"]?["completeness"]?["all_toolcalls_terminal"] == false)
        }
    }

    @Test("stays what its hash says when the run's correlation looks like a secret")
    func secretCorrelation() throws {
        try withAPI { api in
            let room = try api.room()
            let run = RunID(
                try api.operator.post(
                    "/v1/runs",
                    ["room_id": .string(room.rawValue), "correlation_id": "ghp_aB3dE6gH9jK2mN5pQ8sTuV"])[text: "run_id"]
            )
            #expect(try api.operator.post("/v1/runs/\(run)/complete").status == 200)
            let found = try evidence(api, run)
            try check(found)
            #expect(found["correlation_id"] == "[redacted]")
        }
    }

    @Test("of a long run lists its first events, and has the root over all")
    func long() throws {
        try withAPI { api in
            let run = try api.run(in: api.room())
            let hold = try api.hold()
            let most = EvidenceDecider.pointersMax
            for number in 0..<(most + 5) { _ = try hold.step("s\(number)") }
            #expect(try hold.onRun("complete").status == 200)
            let found = try evidence(api, run)
            try check(found)
            let pointers = found["manifest"]?["pointers"]
            for list in ["events", "step_ids"] {
                #expect(pointers?[list]?.arrayValue?.count == most)
                #expect(pointers?["\(list)_truncated"] == true)
            }
            #expect(found["event_count"] == .integer(Int64(most + 8)))
            // The root is over the hashes of all, which the log has.
            var (hashes, cursor): ([String], String?) = ([], "0")
            while let after = cursor {
                let page = try api.operator.get("/v1/events?run_id=\(run)&limit=200&cursor=\(after)")
                for event in page["events"]?.arrayValue ?? [] {
                    guard event["stream_seq"]?.intValue ?? 0 <= found["to_seq"]?.intValue ?? 0 else { continue }
                    let single = try api.operator.get("/v1/events/\(event["event_id"]?.stringValue ?? "")")
                    hashes.append(single["event"]?["event_hash"]?.stringValue ?? "")
                }
                cursor = page["next_cursor"]?.stringValue
            }
            let root = "sha256:" + SHA256.hex(Array(hashes.joined(separator: "\n").utf8))
            #expect(found["event_hash_root"] == .string(root))
        }
    }

    @Test("of a run that ended before there was evidence is made when it is asked for, without what came after the end")
    func earlier() throws {
        try withAPI { api in
            let run = try api.run(in: api.room())
            let hold = try api.hold()
            let step = try hold.step("a")
            try api.restart { try endAsBefore(run, api) }
            #expect(try api.operator.get("/v1/runs/\(run)/evidence").code == "evidence_not_found")
            api.clock.advance(1_000)
            let artifact = try api.operator.post("/v1/steps/\(step)/artifacts", ["kind": "late"])
            #expect(artifact.status == 201)
            let answers = try race(8) { _ in try api.operator.post("/v1/runs/\(run)/evidence/finalize") }
            #expect(answers.count { $0.status == 201 && $0["created"] == true } == 1)
            #expect(answers.count { $0.status == 200 && $0["created"] == false } == 7)
            let found = try evidence(api, run)
            try check(found)
            #expect(answers.allSatisfy { $0["evidence"] == found })
            #expect(found["manifest"]?["pointers"]?["artifact_ids"] == [])
            #expect(found["manifest"]?["completeness"]?["artifact_count"] == 0)
            #expect(found["manifest"]?["pointers"]?["events"]?.arrayValue?.last?["event_type"] == "run.completed")
            #expect(try api.eventTypes(run).suffix(2) == ["artifact.created", "evidence.manifest.created"])
        }
    }

    /// Ends the run as a release without evidence did it: the event and its rows, nothing else.
    private func endAsBefore(_ run: RunID, _ api: TestAPI) throws {
        let migrations = [EventTable.migration, ProjectorCatalogue.migration, Migration(3, "applied", sqlite: [])]
        let database = try SQLiteDatabase(path: "\(api.folder.path)/aos.db", migrations: migrations) { _ in }
        defer { database.close() }
        let log = EventLog { SystemEntropy().bytes($0) }
        let now = Timestamp(milliseconds: api.clock.wallMilliseconds())
        try database.writeAndWait { transaction in
            guard let row = try RunTable.find(run, transaction) else { throw TestFailure("no run") }
            let draft = try RunDecider.complete(row, CompleteRun(), CommandFacts(actor: .operatorUser, now: now))
            try ProjectorCatalogue.project(log.append([draft], at: now, in: transaction), in: transaction)
        }
    }
}
