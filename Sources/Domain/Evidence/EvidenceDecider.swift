import JSON
package import Shared

/// What is known of a run that has ended, beside its row.
package struct EvidenceFacts: Sendable {
    package var window: EvidenceWindow
    /// The run's, without what looks like a secret: it would be taken out of the recorded manifest, whose hash would no
    /// longer be its own.
    package var correlationID: String
    package var stepIDs: [StepID]
    package var toolCallIDs: [ToolCallID]
    package var artifactIDs: [ArtifactID]
    /// All of them, however many ``artifactIDs`` lists.
    package var artifactCount: Int
    package var areToolCallsTerminal: Bool

    package init(
        window: EvidenceWindow, correlationID: String, stepIDs: [StepID], toolCallIDs: [ToolCallID],
        artifactIDs: [ArtifactID], artifactCount: Int, areToolCallsTerminal: Bool
    ) {
        (self.window, self.correlationID) = (window, correlationID)
        (self.stepIDs, self.toolCallIDs) = (stepIDs, toolCallIDs)
        (self.artifactIDs, self.artifactCount) = (artifactIDs, artifactCount)
        self.areToolCallsTerminal = areToolCallsTerminal
    }
}

/// The evidence manifest of a run (`contract/API_CORE.md` 9.12): made once, at its end.
package enum EvidenceDecider {
    /// Things of one kind that a manifest lists: the rest is only counted, and under the root. It bounds the event, and
    /// with it the transaction that ends a run.
    package static let pointersMax = 1_000
    private static let schemaVersion: Int64 = 1

    /// - Parameters:
    ///   - facts: May list one more of each kind than ``pointersMax``: then the manifest says that it is cut.
    ///   - digest: `sha256:` of the bytes.
    /// - Throws: `run_not_ended`
    package static func finalize(
        _ id: EvidenceID, of run: Run, _ facts: EvidenceFacts, digest: ([UInt8]) -> String, _ command: CommandFacts
    ) throws(Rejection) -> EventDraft {
        try requireEnd(of: run)
        let window = facts.window
        let manifest = manifest(id, run, facts, at: command.now)
        let created = EvidenceManifestCreated(
            evidenceID: id, runID: run.runID, roomID: run.roomID, threadID: run.threadID,
            correlationID: facts.correlationID, runStatus: run.status, manifest: manifest,
            manifestHash: digest(JSON.canonical(manifest)), eventHashRoot: window.eventHashRoot,
            streamType: window.stream.type, streamID: window.stream.id, fromSeq: window.fromSeq, toSeq: window.toSeq,
            eventCount: window.eventCount, finalizedAt: command.now)
        return EventDraft(
            .evidence(.manifestCreated(created)), in: run.scope, by: command.actor, causedBy: run.lastEventID,
            idempotencyKey: EnvelopeKey.evidence(of: run.runID))
    }

    package static func requireEnd(of run: Run) throws(Rejection) {
        guard !run.status.isTerminal else { return }
        throw Rejection(
            .runNotEnded, "the run is \(run.status.rawValue); its evidence is made when it ends",
            details: ["run_id": .string(run.runID.rawValue), "status": .string(run.status.rawValue)])
    }

    // Members stand in canonical order, so that hashing need not sort them; absent ones are null, not left out, so that
    // a client hashes what it reads.
    private static func manifest(
        _ id: EvidenceID, _ run: Run, _ facts: EvidenceFacts, at now: Timestamp
    ) -> JSONValue {
        let window = facts.window
        return [
            "completeness": [
                "all_toolcalls_terminal": .bool(facts.areToolCallsTerminal),
                "artifact_count": .integer(Int64(facts.artifactCount)),
                "terminal_event_present": .bool(window.hasTerminalEvent),
            ],
            "correlation_id": .string(facts.correlationID),
            "evidence_id": .string(id.rawValue),
            "generated_at": .string(now.description),
            "pointers": pointers(facts),
            "room_id": (run.roomID?.rawValue).map { .string($0) } ?? .null,
            "run_id": .string(run.runID.rawValue),
            "run_status": .string(run.status.rawValue),
            "schema_version": .integer(schemaVersion),
            "stream_window": [
                "event_count": .integer(window.eventCount),
                "from_seq": .integer(window.fromSeq),
                "stream_id": .string(window.stream.id),
                "stream_type": .string(window.stream.type.rawValue),
                "to_seq": .integer(window.toSeq),
            ],
            "thread_id": (run.threadID?.rawValue).map { .string($0) } ?? .null,
            "workspace_id": .string(run.workspaceID.rawValue),
        ]
    }

    private static func pointers(_ facts: EvidenceFacts) -> JSONValue {
        var pointers: JSONObject = [:]
        func list<Item>(_ name: String, _ items: [Item], of count: Int, _ written: (Item) -> JSONValue) {
            pointers[name] = .array(items.prefix(pointersMax).map(written))
            if count > pointersMax { pointers["\(name)_truncated"] = true }
        }
        list("artifact_ids", facts.artifactIDs, of: facts.artifactCount) { .string($0.rawValue) }
        list("events", facts.window.events, of: Int(facts.window.eventCount)) { event in
            [
                "event_hash": .string(event.eventHash),
                "event_id": .string(event.eventID.rawValue),
                "event_type": .string(event.eventType),
                "occurred_at": .string(event.occurredAt.description),
                "stream_seq": .integer(event.streamSeq),
            ]
        }
        list("step_ids", facts.stepIDs, of: facts.stepIDs.count) { .string($0.rawValue) }
        list("tool_call_ids", facts.toolCallIDs, of: facts.toolCallIDs.count) { .string($0.rawValue) }
        return .object(pointers)
    }

    // MARK: The fold

    package static func evolve(_ evidence: Evidence?, _ recorded: Recorded<EvidenceEvent>) -> Evidence? {
        let envelope = recorded.envelope
        switch recorded.event {
        case .manifestCreated(let created):
            var evidence = Evidence(
                evidenceID: created.evidenceID, workspaceID: envelope.workspaceID, runID: created.runID,
                runStatus: created.runStatus, correlationID: created.correlationID,
                stream: StreamID(created.streamType, created.streamID), at: recorded.at)
            (evidence.roomID, evidence.threadID) = (created.roomID, created.threadID)
            (evidence.manifest, evidence.manifestHash) = (created.manifest, created.manifestHash)
            (evidence.eventHashRoot, evidence.eventCount) = (created.eventHashRoot, created.eventCount)
            (evidence.fromSeq, evidence.toSeq) = (created.fromSeq, created.toSeq)
            (evidence.finalizedAt, evidence.lastEventID) = (created.finalizedAt, envelope.eventID)
            return evidence
        }
    }
}
