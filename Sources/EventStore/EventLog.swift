package import DatabaseCore
import JSON
package import Shared

/// Appends to the immutable log. Only the writer's thread uses it.
///
/// `@unchecked Sendable` holds because every call is inside a write transaction, and there is one writer.
package final class EventLog: @unchecked Sendable {
    private static let cachedStreamsMax = 10_000
    private static let cachedPrincipalsMax = 10_000

    /// Where a stream ends.
    private struct Head {
        var nextSeq: Int64
        var lastHash: String?
    }

    /// Where the log ends.
    private struct Tip {
        var globalSeq: Int64
        var recordedAt: Timestamp
    }

    private let randomBytes: @Sendable (Int) -> [UInt8]
    // What the writer knows without asking; all of it is void after a rollback, or when somebody else has written.
    private var heads: [StreamID: Head] = [:]
    private var tip: Tip?
    private var knownEpoch = -1
    private var principals: [Actor: String] = [:]

    /// - Parameter randomBytes: The entropy seam: event identifiers and salts come from it.
    package init(randomBytes: @escaping @Sendable (Int) -> [UInt8]) { self.randomBytes = randomBytes }

    /// Records the drafts in order, each after the one before it; an event without a cause of its own is caused by
    /// the draft before it. Secrets are taken out before anything is written, and that is recorded too.
    /// - Returns: The events as they were written, the ones about redaction included.
    package func append(
        _ drafts: [EventDraft], at now: Timestamp, in transaction: any WriteTransaction
    ) throws -> [Recorded<DomainEvent>] {
        if knownEpoch != transaction.cacheEpoch {
            heads = [:]
            tip = nil
            knownEpoch = transaction.cacheEpoch
        }
        var recorded: [Recorded<DomainEvent>] = []
        var previous: EventID?
        for draft in drafts {
            var draft = draft
            if draft.causationID == nil { draft.causationID = previous }
            let events = try appendOne(draft, at: now, in: transaction)
            previous = events.first?.envelope.eventID
            recorded += events
        }
        return recorded
    }

    private func appendOne(
        _ draft: EventDraft, at now: Timestamp, in transaction: any WriteTransaction
    ) throws -> [Recorded<DomainEvent>] {
        var event = draft.event
        var data = try JSON.canonical(encoding: AnyPayload(event.payload))
        var policyContext =
            draft.policyContext.isEmpty
            ? EventPayloadBytes.emptyObject
            : JSON.canonical(.object(draft.policyContext))
        let scannedBytes = data.count + policyContext.count
        var matches: [SecretMatch] = []
        if let redacted = SecretScanner.redact(data) {
            data = redacted.bytes
            matches += redacted.matches
            // Read models must show what a rebuild will show: the redacted text.
            guard let typed = try EventCatalogue.decode(event.type, redacted.value) else {
                preconditionFailure("\(event.type) is not in the catalogue")
            }
            event = typed
        }
        if let redacted = SecretScanner.redact(policyContext) {
            policyContext = redacted.bytes
            matches += redacted.matches
        }
        let payload = EventPayloadBytes(
            data: data, policyContext: policyContext, modelContext: EventPayloadBytes.emptyObject,
            display: EventPayloadBytes.emptyObject, salt: randomBytes(EventPayloadBytes.saltBytes))
        let envelope = try write(
            event, payload, draft, isRedacted: !matches.isEmpty, at: now, in: transaction)
        let recorded = Recorded(envelope, event)
        guard !matches.isEmpty else { return [recorded] }
        return [recorded]
            + (try append(
                redactionNotes(of: recorded, draft, matches, scannedBytes: scannedBytes), at: now, in: transaction))
    }

    private func write(
        _ event: DomainEvent, _ payload: EventPayloadBytes, _ draft: EventDraft, isRedacted: Bool, at now: Timestamp,
        in transaction: any WriteTransaction
    ) throws -> EventEnvelope {
        let stream = draft.scope.stream
        let (head, isNew) = try self.head(of: stream, in: transaction)
        let tip = try self.tip(in: transaction)
        let globalSeq = (tip?.globalSeq ?? 0) + 1
        // A clock that was set back must not make history run backwards: `recorded_at` orders as `global_seq` does.
        let recordedAt = max(now, tip?.recordedAt ?? now)
        var isLeak = false
        if case .system(.secretLeakedDetected) = event { isLeak = true }
        var envelope = EventEnvelope(
            globalSeq: globalSeq,
            eventID: EventID(UUIDText.version7(milliseconds: now.milliseconds, random: randomBytes(10))),
            eventType: event.type, eventVersion: 1, occurredAt: now, recordedAt: recordedAt,
            workspaceID: draft.scope.workspaceID, missionID: draft.scope.missionID, roomID: draft.scope.roomID,
            threadID: draft.scope.threadID, runID: draft.scope.runID, stepID: draft.scope.stepID, actor: draft.actor,
            actorPrincipalID: draft.actorPrincipalID ?? principal(of: draft.actor), zone: draft.zone, stream: stream,
            streamSeq: head.nextSeq,
            correlationID: draft.scope.correlationID, causationID: draft.causationID,
            redactionLevel: isRedacted ? .partial : .none, containsSecrets: isRedacted || isLeak,
            idempotencyKey: draft.idempotencyKey, entityType: nil, entityID: nil,
            payloadDigest: EventHasher.payloadDigest(payload), prevEventHash: head.lastHash, eventHash: "")
        envelope.eventHash = EventHasher.eventHash(envelope)
        try transaction.execute(EventTable.insert(envelope, payload, on: transaction.backend))
        try EventSubjects.note(payload.data, at: globalSeq, in: transaction)
        let nextSeq = head.nextSeq + 1
        if isNew {
            try transaction.execute(EventTable.addHead(of: stream, nextSeq: nextSeq))
        } else {
            try transaction.executeLast("head \(stream)", EventTable.putHead(of: stream, nextSeq: nextSeq))
        }
        heads[stream] = Head(nextSeq: nextSeq, lastHash: envelope.eventHash)
        self.tip = Tip(globalSeq: globalSeq, recordedAt: recordedAt)
        return envelope
    }

    private func redactionNotes(
        of recorded: Recorded<DomainEvent>, _ draft: EventDraft, _ matches: [SecretMatch], scannedBytes: Int
    ) -> [EventDraft] {
        let source = recorded.envelope
        let notes: [SystemEvent] = [
            .eventRedacted(
                EventRedacted(
                    targetEventID: source.eventID, reason: "dlp_secret_detected", intendedRedactionLevel: .partial)),
            .secretLeakedDetected(
                SecretLeakedDetected(
                    sourceEventID: source.eventID, sourceEventType: source.eventType,
                    scannerVersion: SecretScanner.version, matchCount: matches.count,
                    ruleIDs: Set(matches.map(\.ruleID)).sorted(),
                    matches: Array(matches.prefix(SecretScanner.matchesMax)), scannedBytes: scannedBytes)),
        ]
        return notes.map {
            EventDraft(.system($0), in: draft.scope, by: .secretScanner, causedBy: source.eventID, zone: draft.zone)
        }
    }

    private func head(of stream: StreamID, in transaction: any WriteTransaction) throws -> (Head, isNew: Bool) {
        if let head = heads[stream] { return (head, false) }
        if heads.count >= Self.cachedStreamsMax { heads = [:] }
        let stored = try transaction.first(EventTable.lockedHead(of: stream, on: transaction.backend)) { row in
            Head(nextSeq: try row.get("next_seq"), lastHash: try row.get("event_hash"))
        }
        return stored.map { ($0, false) } ?? (Head(nextSeq: 1, lastHash: nil), true)
    }

    /// Nil in an empty log.
    private func tip(in transaction: any WriteTransaction) throws -> Tip? {
        if let tip { return tip }
        return try transaction.first(EventTable.tip) { row in
            Tip(globalSeq: try row.get("global_seq"), recordedAt: try row.get("recorded_at"))
        }
    }

    private func principal(of actor: Actor) -> String {
        if let known = principals[actor] { return known }
        if principals.count >= Self.cachedPrincipalsMax { principals = [:] }
        let id = Principal.id(of: actor)
        principals[actor] = id
        return id
    }
}
