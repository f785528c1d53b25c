package import DatabaseCore
package import JSON
package import Shared

/// An event as the log holds it: header, and the payload's bytes unless they were erased.
package struct StoredEvent: Sendable {
    package var envelope: EventEnvelope
    /// Nil after an erasure.
    package var payload: EventPayloadBytes?

    /// An event that was recorded a moment ago: enough of it for a stream, which shows no contexts.
    package init(_ envelope: EventEnvelope, data: [UInt8]) {
        self.envelope = envelope
        let empty = EventPayloadBytes.emptyObject
        payload = EventPayloadBytes(data: data, policyContext: empty, modelContext: empty, display: empty, salt: [])
    }

    package init(row: any Row) throws {
        envelope = EventEnvelope(
            globalSeq: try row.get("global_seq"), eventID: try row.get("event_id"),
            eventType: try row.get("event_type"), eventVersion: try row.get("event_version"),
            occurredAt: try row.get("occurred_at"), recordedAt: try row.get("recorded_at"),
            workspaceID: try row.get("workspace_id"), missionID: try row.get("mission_id"),
            roomID: try row.get("room_id"), threadID: try row.get("thread_id"), runID: try row.get("run_id"),
            stepID: try row.get("step_id"),
            actor: Actor(try row.get("actor_type"), try row.get("actor_id")),
            actorPrincipalID: try row.get("actor_principal_id"), zone: try row.get("zone"),
            stream: StreamID(try row.get("stream_type"), try row.get("stream_id")),
            streamSeq: try row.get("stream_seq"), correlationID: try row.get("correlation_id"),
            causationID: try row.get("causation_id"), redactionLevel: try row.get("redaction_level"),
            containsSecrets: try row.get("contains_secrets"), idempotencyKey: try row.get("idempotency_key"),
            entityType: try row.get("entity_type"), entityID: try row.get("entity_id"),
            payloadDigest: try row.get("payload_digest"), prevEventHash: try row.get("prev_event_hash"),
            eventHash: try row.get("event_hash"))
        guard try row.value("data") != .null else { return }
        payload = EventPayloadBytes(
            data: try row.bytes("data"), policyContext: try row.bytes("policy_context"),
            modelContext: try row.bytes("model_context"), display: try row.bytes("display"),
            salt: try row.bytes("payload_salt"))
    }

    /// The typed event; nil when it was erased or is of a type this program does not know.
    package func typed() throws -> Recorded<DomainEvent>? {
        guard let payload,
            let event = try EventCatalogue.decode(
                envelope.eventType, JSON.parse(payload.data, limits: .stored))
        else { return nil }
        return Recorded(envelope, event)
    }
}

/// Which members of an event an answer has (`contract/API_CORE.md` 2.8).
package enum EventFields: Sendable {
    case stream, list, single
    /// All that `event_hash` and `payload_digest` are made of, so that whoever has the lines can compute both again. The
    /// salt tells no more than the payload beside it.
    case export
}

extension StoredEvent {
    /// The event as it is sent, with the stored payload copied byte for byte.
    package func write(_ fields: EventFields, to writer: inout JSONWriter) {
        func text(_ key: StaticString, _ value: String?) {
            writer.key(key)
            if let value { writer.string(value) } else { writer.null() }
        }
        func raw(_ key: StaticString, _ bytes: [UInt8]?) {
            writer.key(key)
            if let bytes { writer.raw(bytes) } else { writer.null() }
        }
        func integer(_ key: StaticString, _ value: Int64) {
            writer.key(key)
            writer.integer(value)
        }
        let event = envelope
        writer.beginObject()
        integer("global_seq", event.globalSeq)
        text("event_id", event.eventID.rawValue)
        text("event_type", event.eventType)
        integer("event_version", event.eventVersion)
        text("occurred_at", event.occurredAt.description)
        text("recorded_at", event.recordedAt.description)
        text("workspace_id", event.workspaceID.rawValue)
        text("mission_id", event.missionID)
        text("room_id", event.roomID?.rawValue)
        text("thread_id", event.threadID?.rawValue)
        text("actor_type", event.actor.actorType.rawValue)
        text("actor_id", event.actor.actorID)
        text("actor_principal_id", event.actorPrincipalID)
        text("zone", event.zone.rawValue)
        text("run_id", event.runID?.rawValue)
        text("step_id", event.stepID?.rawValue)
        text("stream_type", event.stream.type.rawValue)
        text("stream_id", event.stream.id)
        integer("stream_seq", event.streamSeq)
        text("correlation_id", event.correlationID)
        text("causation_id", event.causationID?.rawValue)
        raw("data", payload?.data)
        if fields != .stream {
            text("redaction_level", event.redactionLevel.rawValue)
            writer.key("contains_secrets")
            writer.bool(event.containsSecrets)
        }
        if fields == .single || fields == .export {
            raw("policy_context", payload?.policyContext)
            raw("model_context", payload?.modelContext)
            raw("display", payload?.display)
            text("idempotency_key", event.idempotencyKey)
            text("entity_type", event.entityType)
            text("entity_id", event.entityID)
            text("payload_digest", event.payloadDigest)
            text("prev_event_hash", event.prevEventHash)
            text("event_hash", event.eventHash)
        }
        if fields == .export {
            integer("hash_version", EventEnvelope.hashVersion)
            text("payload_salt", payload.map { Hex.text($0.salt) })
        }
        writer.endObject()
    }
}
