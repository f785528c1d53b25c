package import JSON
import Shared

// Events as CloudEvents 1.0 in the JSON format (`reference/ECOSYSTEM.md` 6).

extension StoredEvent {
    /// Before the type: CloudEvents wants the reverse name of who defines it.
    static let cloudEventTypePrefix = "dev.aos."
    /// Digits of `sequence`, so that it sorts as text; the CloudEvents integer has 32 bits only.
    private static let sequenceDigits = 20

    /// The event as a CloudEvent. `subject` is the stream, `sequence` the place in the log. Attributes that the event
    /// lacks are left out, and so is `data` after an erasure.
    package func writeCloudEvent(to writer: inout JSONWriter) {
        func text(_ key: StaticString, _ value: String?) {
            guard let value else { return }
            writer.key(key)
            writer.string(value)
        }
        let event = envelope
        let sequence = String(event.globalSeq)
        writer.beginObject()
        text("specversion", "1.0")
        text("id", event.eventID.rawValue)
        text("source", "/workspaces/\(Self.encoded(event.workspaceID.rawValue))")
        text("type", Self.cloudEventTypePrefix + event.eventType)
        text("subject", event.stream.description)
        text("time", event.occurredAt.description)
        text("sequence", String(repeating: "0", count: Self.sequenceDigits - sequence.utf8.count) + sequence)
        text("workspaceid", event.workspaceID.rawValue)
        text("actortype", event.actor.actorType.rawValue)
        text("actorid", event.actor.actorID)
        text("correlationid", event.correlationID)
        text("causationid", event.causationID?.rawValue)
        if let payload {
            text("datacontenttype", "application/json")
            writer.key("data")
            writer.raw(payload.data)
        }
        writer.endObject()
    }

    /// `source` is a URI reference: what is not unreserved in it is percent-encoded (RFC 3986, 2.3).
    private static func encoded(_ name: String) -> String {
        name.utf8.reduce(into: "") { text, byte in
            let character = Character(UnicodeScalar(byte))
            if character.isASCII, character.isLetter || character.isNumber || "-._~".contains(character) {
                text.append(character)
            } else {
                text += "%" + Hex.text([byte]).uppercased()
            }
        }
    }
}
