package import DatabaseCore
import EventStore
import JSON
package import Shared

/// `proj_redactions`: all the SQL that touches it is in this file.
package enum RedactionTable {
    static let table = Table<Redaction>(
        "proj_redactions", keys: ["redaction_log_id"],
        blank: Redaction(
            redactionLogID: "", workspaceID: "", eventID: nil, eventType: "", stream: .workspace(""), ruleID: "",
            matchPreview: "", detectorVersion: "", action: .shadowFlagged, details: [:], createdAt: .zero),
        columns: [
            Column("redaction_log_id", \.redactionLogID),
            Column("workspace_id", \.workspaceID),
            Column("event_id", \.eventID),
            Column("event_type", \.eventType),
            Column("stream_type", \.streamType),
            Column("stream_id", \.streamID),
            Column("rule_id", \.ruleID),
            Column("match_preview", \.matchPreview),
            Column("detector_version", \.detectorVersion),
            Column("action", \.action),
            Column("details", \.details),
            Column("created_at", \.createdAt),
        ],
        indexes: [
            """
            CREATE INDEX proj_redactions_by_time ON proj_redactions (workspace_id, created_at, redaction_log_id)
            """,
            "CREATE INDEX proj_redactions_by_event ON proj_redactions (event_id)",
        ])

    /// What stands as the rule of the line about all matches of one event.
    static let summaryRuleID = "secret_leak_summary"

    static let projector = Projector(table) { recorded, transaction in
        guard case .system(.secretLeakedDetected(let leak)) = recorded.event else { return }
        for line in lines(of: leak, recorded.envelope) { try table.put(line, in: transaction) }
    }

    /// One line for each match, and one for the event that lists them.
    private static func lines(of leak: SecretLeakedDetected, _ envelope: EventEnvelope) -> [Redaction] {
        func line(
            _ number: Int, _ action: Redaction.Action, _ match: SecretMatch, details: JSONValue
        ) -> Redaction {
            Redaction(
                // Two digits: an event lists at most 20 matches, and the lines sort by their names.
                redactionLogID: "\(envelope.eventID)-\(number < 10 ? "0" : "")\(number)",
                workspaceID: envelope.workspaceID, eventID: leak.sourceEventID, eventType: leak.sourceEventType,
                stream: envelope.stream, ruleID: match.ruleID, matchPreview: match.matchPreview,
                detectorVersion: leak.scannerVersion, action: action, details: details,
                createdAt: envelope.recordedAt)
        }
        let matches = leak.matches.enumerated().map { index, match in
            line(index + 1, .shadowFlagged, match, details: ["scanned_bytes": .integer(Int64(leak.scannedBytes))])
        }
        let summary = line(
            0, .eventEmitted, SecretMatch(ruleID: summaryRuleID, matchPreview: ""),
            details: [
                "match_count": .integer(Int64(leak.matchCount)), "rule_ids": .array(leak.ruleIDs.map { .string($0) }),
                "event_id": .string(envelope.eventID.rawValue),
            ])
        return [summary] + matches
    }

    package struct Filter: Sendable {
        package var eventID: EventID?
        package var ruleID: String?
        package var action: Redaction.Action?
        package var streamType: StreamType?
        package var streamID: String?

        package init() {}
    }

    /// The workspace's lines, newest first.
    package static func list(
        in workspace: WorkspaceID, _ filter: Filter, after cursor: ListCursor?, limit: Int,
        _ transaction: any ReadTransaction
    ) throws -> [Redaction] {
        try table.page(
            in: workspace,
            where: [
                filter.eventID.map { "event_id = \($0)" }, filter.ruleID.map { "rule_id = \($0)" },
                filter.action.map { "action = \($0)" }, filter.streamType.map { "stream_type = \($0)" },
                filter.streamID.map { "stream_id = \($0)" },
            ], newestBy: "created_at", after: cursor, limit: limit, transaction)
    }
}
