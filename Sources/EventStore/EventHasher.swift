import Crypto
import JSON
package import Shared

/// The payload of an event as it is stored and hashed: canonical JSON, and the salt that makes its digest blind.
package struct EventPayloadBytes: Hashable, Sendable {
    package static let saltBytes = 16
    static let emptyObject = Array("{}".utf8)

    package var data: [UInt8]
    package var policyContext: [UInt8]
    package var modelContext: [UInt8]
    package var display: [UInt8]
    package var salt: [UInt8]
}

/// The hash chain, version 2 (`contract/README.md` 4, RULINGS 6): the chain covers the header and a salted digest of the
/// payload, so a payload can be erased and the chain still holds.
package enum EventHasher {
    /// `sha256:` of the salt and the RFC 8785 form of `{data, display, model_context, policy_context}`.
    package static func payloadDigest(_ payload: EventPayloadBytes) -> String {
        SHA256.text(payloadBytes(payload, after: payload.salt))
    }

    /// The RFC 8785 form of `{data, display, model_context, policy_context}`.
    package static func payloadBytes(_ payload: EventPayloadBytes, after salt: [UInt8] = []) -> [UInt8] {
        var bytes = salt
        bytes.reserveCapacity(payload.data.count + payload.policyContext.count + 128)
        bytes += #"{"data":"#.utf8
        bytes += payload.data
        bytes += #","display":"#.utf8
        bytes += payload.display
        bytes += #","model_context":"#.utf8
        bytes += payload.modelContext
        bytes += #","policy_context":"#.utf8
        bytes += payload.policyContext
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    /// `sha256:` of the RFC 8785 form of the header. `global_seq` is outside: it is a place, not a fact.
    package static func eventHash(_ event: EventEnvelope) -> String { SHA256.text(headerBytes(event)) }

    /// The keys in canonical order; absent is null.
    package static func headerBytes(_ event: EventEnvelope) -> [UInt8] {
        var writer = JSONWriter(reserving: 1024)
        func text(_ key: StaticString, _ value: String?) {
            writer.key(key)
            if let value { writer.string(value) } else { writer.null() }
        }
        func integer(_ key: StaticString, _ value: Int64) {
            writer.key(key)
            writer.integer(value)
        }
        writer.beginObject()
        text("actor_id", event.actor.actorID)
        text("actor_principal_id", event.actorPrincipalID)
        text("actor_type", event.actor.actorType.rawValue)
        text("causation_id", event.causationID?.rawValue)
        writer.key("contains_secrets")
        writer.bool(event.containsSecrets)
        text("correlation_id", event.correlationID)
        text("entity_id", event.entityID)
        text("entity_type", event.entityType)
        text("event_id", event.eventID.rawValue)
        text("event_type", event.eventType)
        integer("event_version", event.eventVersion)
        integer("hash_version", EventEnvelope.hashVersion)
        text("idempotency_key_digest", event.idempotencyKey.map { SHA256.text(Array($0.utf8)) })
        text("mission_id", event.missionID)
        text("occurred_at", event.occurredAt.description)
        text("payload_digest", event.payloadDigest)
        text("prev_event_hash", event.prevEventHash)
        text("recorded_at", event.recordedAt.description)
        text("redaction_level", event.redactionLevel.rawValue)
        text("room_id", event.roomID?.rawValue)
        text("run_id", event.runID?.rawValue)
        text("step_id", event.stepID?.rawValue)
        text("stream_id", event.stream.id)
        integer("stream_seq", event.streamSeq)
        text("stream_type", event.stream.type.rawValue)
        text("thread_id", event.threadID?.rawValue)
        text("workspace_id", event.workspaceID.rawValue)
        text("zone", event.zone.rawValue)
        writer.endObject()
        return writer.bytes
    }
}

/// The principal behind an actor: the same pair is the same principal for ever (RULINGS 10).
package enum Principal {
    /// UUIDv5 (RFC 9562, 5.5) of `type:id` in a namespace of ours.
    package static func id(of actor: Actor) -> String {
        UUIDText.version5(sha1: SHA1.digest(namespace + Array(actor.description.utf8)))
    }

    /// 3f2c5d1e-7a40-5b6f-9c1d-a905a6e27001
    private static let namespace: [UInt8] = [
        0x3F, 0x2C, 0x5D, 0x1E, 0x7A, 0x40, 0x5B, 0x6F, 0x9C, 0x1D, 0xA9, 0x05, 0xA6, 0xE2, 0x70, 0x01,
    ]
}
