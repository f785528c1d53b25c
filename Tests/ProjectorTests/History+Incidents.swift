import Crypto
import DatabaseCore
import Domain
import EventStore
import JSON
import Shared

@testable import Projectors

// Evidence and incidents in the random life.

extension Moment {
    /// A run that has ended gets its manifest, and an incident if it failed.
    func conclude() throws {
        let ended = try RunTable.table.all(
            where: """
                 WHERE status IN ('succeeded', 'failed', 'cancelled')
                    AND run_id NOT IN (SELECT run_id FROM proj_evidence_manifests)
                ORDER BY updated_at DESC LIMIT 4
                """, in: transaction)
        guard let run = pick(ended), let facts = try EvidenceTable.facts(of: run, transaction) else { return }
        try record(EvidenceDecider.finalize(id(), of: run, facts, digest: SHA256.text, self.facts))
        guard let failure = try failure(of: run) else { return }
        try record(IncidentDecider.runFailed(id(), run, failure))
    }

    private func failure(of run: Run) throws -> Recorded<RunFailed>? {
        var filter = EventFilter()
        (filter.runID, filter.eventTypes) = (run.runID, [RunFailed.type])
        guard let recorded = try EventQueries.events(filter, limit: 1, in: transaction).first?.typed(),
            case .run(.failed(let failed)) = recorded.event
        else { return nil }
        return recorded.with(failed)
    }

    func openIncident() throws {
        let request = OpenIncident(
            title: pick(["It broke", nil])!, summary: word, severity: pick(IncidentSeverity.words + [nil])!,
            category: pick([nil, "quality"])!, details: pick([nil, ["word": .string(word)]])!,
            entityType: pick([nil, "room"])!, entityID: pick([nil, "x"])!)
        let report = try IncidentReport(request)
        let run = pick(try RunTable.table.all(where: " ORDER BY updated_at DESC LIMIT 4", in: transaction) + [nil])!
        let scope = try IncidentDecider.scope(
            of: report, run, in: run?.workspaceID ?? pick(Self.workspaces)!, correlationID: "c")
        try record(IncidentDecider.open(id(), report, in: scope, facts))
    }

    func handleIncident() throws {
        let latest = try IncidentTable.table.all(where: " ORDER BY updated_at DESC LIMIT 5", in: transaction)
        guard let incident = pick(latest) else { return try openIncident() }
        switch roll(4) {
        case 0:
            try record(
                IncidentDecider.updateRCA(
                    incident, UpdateRCA(summary: word, analysis: pick([nil, ["cause": .string(word)]])!), facts))
        case 1:
            try record(IncidentDecider.logLearning(id(), incident, LogLearning(note: word, tags: [word, "a"]), facts))
        default: try record(IncidentDecider.close(incident, CloseIncident(reason: word), facts))
        }
    }
}
