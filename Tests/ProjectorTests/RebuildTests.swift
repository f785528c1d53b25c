import Crypto
import DatabaseCore
import EventStore
import JSON
import Platform
import PostgresTestSupport
import Shared
import Testing

@testable import Projectors

struct RebuildTests {
    @Test(
        "After thousands of random events the rebuilt read models are the live ones, byte for byte",
        arguments: [UInt64(20_260_304)])
    func rebuiltIsLive(_ seed: UInt64) throws {
        let history = try History(seed: seed)
        let long: Int64 = 20_000
        try history.live(until: long)
        let (events, checks) = try history.rebuild()
        #expect(events >= long)
        #expect(checks.map(\.table) == ProjectorCatalogue.all.map(\.name))
        for check in checks {
            #expect(
                check.firstDifference == nil && check.liveDigest == check.rebuiltDigest
                    && check.liveRows == check.rebuiltRows, "\(check)")
            #expect(check.liveRows > 0, "\(check.table) is empty: the history is too tame")
        }
        let verification = try history.database.read { try LogVerifier.verifyLog(in: $0) }
        #expect(verification.valid && verification.events == events)
        // Nearly every type of event that a decider can bring about has happened.
        let seen = try history.database.read { transaction in
            Set(
                try transaction.all("SELECT DISTINCT event_type FROM evt_events") {
                    try $0.get("event_type", as: String.self)
                })
        }
        #expect(
            Set(EventCatalogue.types).subtracting(seen)
                == Set([
                    "api.started", "api.stopped", "auth.web_session.ended", "auth.web_session.issued",
                    "configuration.reloaded", "engine.deactivated", "engine.registered", "engine.token.issued",
                    "engine.token.revoked", "event.erased", "log.backed_up", "log.restored",
                ]))
        // A read model shows what is in the log: the redacted text.
        let leaks = try history.database.read { transaction in
            try transaction.first("SELECT count(*) AS n FROM proj_runs WHERE title LIKE '%ghp_%' OR goal LIKE '%ghp_%'")
            { try $0.get("n", as: Int.self) }
        }
        #expect(leaks == 0)
    }

    @Test("After erasures of random events the rebuilt read models are the live ones, and what was said is nowhere")
    func erasures() throws {
        let history = try History(seed: 42)
        try history.live(until: 3_000)
        let scratch = try history.another()
        let dice = SeededEntropy(seed: 4)
        var erased: Set<String> = []
        for _ in 0..<60 {
            let place = dice.integer(in: 1...3_000)
            let type = try history.database.writeAndWait { [log = history.log] transaction -> String? in
                var filter = EventFilter()
                (filter.afterGlobalSeq, filter.throughGlobalSeq) = (place - 1, place)
                let stored = try #require(try EventQueries.events(filter, limit: 1, in: transaction).first)
                guard let payload = stored.payload, let event = try stored.typed(),
                    let remains = ErasedForm.of(event.event.type, try JSON.parse(payload.data)),
                    let left = try EventCatalogue.decode(event.event.type, remains)
                else { return nil }
                let changes = try Refold.changes(event, leaving: left, scratch: scratch.database, in: transaction)
                try EventErasure.erase(stored.envelope, in: transaction)
                let mark = EventErased(
                    targetEventID: stored.envelope.eventID, targetEventType: event.event.type, reason: "r",
                    remains: remains)
                let draft = EventDraft(
                    .system(.eventErased(mark)), in: EventScope(of: stored.envelope), by: .operatorUser)
                try ProjectorCatalogue.project(
                    log.append([draft], at: stored.envelope.recordedAt, in: transaction), in: transaction)
                try Refold.apply(changes, of: stored.envelope, in: transaction)
                return event.event.type
            }
            if let type { erased.insert(type) }
        }
        #expect(erased.count > 15, "\(erased.sorted())")
        for check in try history.rebuild().checks {
            #expect(check.firstDifference == nil && check.liveDigest == check.rebuiltDigest, "\(check)")
        }
        #expect(try history.database.read { try LogVerifier.verifyLog(in: $0) }.valid)
    }

    @Test("Every type of event moves a read model, or says why it does not")
    func projected() throws {
        let history = try History(seed: 77)
        try history.live(until: 4_000)
        let moved = try history.another()
        let target = moved.database
        defer { withExtendedLifetime(moved) {} }
        var events: [Recorded<DomainEvent>] = []
        try history.database.read { source in
            try EventQueries.each(in: source) { if let event = try $0.typed() { events.append(event) } }
        }
        let lived = events
        let moving = try target.writeAndWait { transaction -> Set<String> in
            func changes() throws -> Int {
                try transaction.first("SELECT total_changes() AS n") { try $0.get("n") } ?? 0
            }
            var moving: Set<String> = []
            for event in lived {
                let before = try changes()
                try ProjectorCatalogue.project([event], in: transaction)
                if try changes() > before { moving.insert(event.event.type) }
            }
            return moving
        }
        #expect(moving.isDisjoint(with: Unprojected.reasons.keys))
        #expect(moving.union(Unprojected.reasons.keys) == Set(EventCatalogue.types))
    }

    @Test("The same seed gives the same log and the same rows")
    func repeatable() throws {
        let digests = try (0..<2).map { _ in
            let history = try History(seed: 77)
            try history.live(until: 400)
            return try history.rebuild().checks.map(\.liveDigest)
        }
        #expect(digests[0] == digests[1])
    }

    @Test(
        "A row that differs in one place, is gone or is there too much is named",
        arguments: [
            "proj_approvals", "proj_artifacts", "proj_constraints", "proj_evidence_manifests", "proj_experiments",
            "proj_incident_learning", "proj_incidents", "proj_kill_switch", "proj_lessons", "proj_messages",
            "proj_redactions", "proj_rooms", "proj_runs", "proj_scorecards", "proj_search_docs", "proj_steps",
            "proj_threads", "proj_tool_calls",
        ])
    func differences(_ table: String) throws {
        let history = try History(seed: 5)
        try history.live(until: 600)
        let key = try #require(ProjectorCatalogue.all.first { $0.name == table })
        var first: String?
        try history.database.read { transaction in
            try key.eachRow(transaction) { name, _ in first = first ?? name }
        }
        let row = try #require(first)
        let keyColumn =
            switch table {
            case "proj_approvals": "approval_id"
            case "proj_artifacts": "artifact_id"
            case "proj_evidence_manifests": "evidence_id"
            case "proj_experiments": "experiment_id"
            case "proj_incident_learning": "learning_id"
            case "proj_incidents": "incident_id"
            case "proj_constraints": "constraint_id"
            case "proj_kill_switch": "scope"
            case "proj_redactions": "redaction_log_id"
            case "proj_messages": "message_id"
            case "proj_rooms": "room_id"
            case "proj_runs": "run_id"
            case "proj_search_docs": "doc_id"
            case "proj_lessons": "lesson_id"
            case "proj_scorecards": "scorecard_id"
            case "proj_steps": "step_id"
            case "proj_threads": "thread_id"
            default: "tool_call_id"
            }
        func change(_ statement: String) throws -> TableCheck {
            _ = try history.database.writeAndWait { try $0.execute(SQL(unsafeText: statement)) }
            let checks = try history.rebuild().checks
            #expect(checks.filter { $0.table != table }.allSatisfy { $0.firstDifference == nil })
            return try #require(checks.first { $0.table == table })
        }
        let times = [
            "proj_kill_switch": "changed_at", "proj_incident_learning": "created_at", "proj_redactions": "created_at",
        ]
        let time = times[table] ?? "updated_at"
        let changed = try change(
            "UPDATE \(table) SET \(time) = '2001-01-01T00:00:00.000Z' WHERE \(keyColumn) = '\(row)'")
        #expect(changed.firstDifference?.hasPrefix("\(row), column ") == true)
        #expect(changed.liveDigest != changed.rebuiltDigest && changed.liveRows == changed.rebuiltRows)
        let renamed = try change("UPDATE \(table) SET \(keyColumn) = 'zz' WHERE \(keyColumn) = '\(row)'")
        #expect(renamed.firstDifference == "zz is in the live table only")
        let deleted = try change("DELETE FROM \(table) WHERE \(keyColumn) = 'zz'")
        #expect(deleted.firstDifference == "\(row) is in the rebuilt table only")
        #expect(deleted.liveRows == deleted.rebuiltRows - 1)
    }

    @Test("A projector that counts is caught: its second fold gives other rows")
    func plantedCounter() throws {
        struct Note: Sendable {
            var id = ""
            var number: Int64 = 0
        }
        let table = Table<Note>(
            "planted", keys: ["id"], blank: Note(), columns: [Column("id", \.id), Column("number", \.number)])
        let counter = Monitor(Int64(0))
        let planted = Projector(table) { recorded, transaction in
            try table.fold(recorded.envelope.eventID.rawValue, in: transaction) { _ in
                Note(
                    id: recorded.envelope.eventID.rawValue,
                    number: counter.update {
                        $0 += 1; return $0
                    })
            }
        }
        let honest = Projector(table) { recorded, transaction in
            try table.fold(recorded.envelope.eventID.rawValue, in: transaction) { _ in
                Note(id: recorded.envelope.eventID.rawValue, number: recorded.envelope.globalSeq)
            }
        }
        let history = try History(seed: 3)
        try history.live(until: 60)
        for (projector, isSame) in [(honest, true), (planted, false)] {
            let rows = try (0..<2).map { _ in
                try history.database.writeAndWait { transaction in
                    for statement in projector.schema.statements(on: transaction.backend) {
                        try transaction.execute(statement)
                    }
                    try EventQueries.each(in: transaction) { stored in
                        if let recorded = try stored.typed() { try projector.project(recorded, transaction) }
                    }
                    var rows: [[SQLValue]] = []
                    try projector.eachRow(transaction) { _, row in rows.append(row) }
                    try transaction.execute("DROP TABLE planted")
                    return rows
                }
            }
            #expect((rows[0] == rows[1]) == isSame)
            #expect(rows[0].count >= 60)
        }
    }
}
