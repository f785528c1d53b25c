import Crypto
import JSON
import Platform
import Shared
import Testing

@testable import EventStore

/// The chain's rule, checked against vectors that stand in `docs/reference/HASH_CHAIN.md` and against a second
/// implementation that is nothing but strings.
struct HashChainTests {
    private static let page =
        Files.split(Files.split(Files.split(#filePath).folder).folder).folder + "/docs/reference/HASH_CHAIN.md"

    /// A payload and an event to show the rule on.
    struct Vector: Sendable {
        var name: String
        var payload: EventPayloadBytes
        var event: EventEnvelope
    }

    static let vectors: [Vector] = {
        func payload(_ data: String, policy: String = "{}", salt: UInt8) -> EventPayloadBytes {
            EventPayloadBytes(
                data: Array(data.utf8), policyContext: Array(policy.utf8), modelContext: Array("{}".utf8),
                display: Array("{}".utf8), salt: (0..<16).map { salt &+ UInt8($0) })
        }
        func event(_ type: String, _ change: (inout EventEnvelope) -> Void) -> EventEnvelope {
            var event = EventEnvelope(
                globalSeq: 1, eventID: "018f0000-0000-7000-8000-000000000001", eventType: type, eventVersion: 1,
                occurredAt: Timestamp("2026-03-04T05:06:07.089Z")!, recordedAt: Timestamp("2026-03-04T05:06:07.090Z")!,
                workspaceID: "ws_dev", missionID: nil, roomID: nil, threadID: nil, runID: nil, stepID: nil,
                actor: .operatorUser, actorPrincipalID: Principal.id(of: .operatorUser), zone: .supervised,
                stream: .workspace("ws_dev"), streamSeq: 1, correlationID: "corr_1", causationID: nil,
                redactionLevel: .none, containsSecrets: false, idempotencyKey: nil, entityType: nil, entityID: nil,
                payloadDigest: "", prevEventHash: nil, eventHash: "")
            change(&event)
            return event
        }
        var vectors = [
            Vector(name: "least", payload: payload("{}", salt: 0), event: event("api.stopped") { _ in }),
            Vector(
                name: "full",
                payload: payload(
                    #"{"run_id":"run_1","summary":"Zoë said \"hi\"\n🙂"}"#,
                    policy: #"{"decision":"allow","latency_us":12}"#, salt: 0x40),
                event: event("run.completed") { event in
                    event.stream = .room("room_1")
                    (event.missionID, event.roomID, event.threadID) = ("mission_1", "room_1", "th_1")
                    (event.runID, event.stepID, event.causationID) = (
                        "run_1", "step_1", "018f0000-0000-7000-8000-000000000000"
                    )
                    (event.actor, event.streamSeq) = (Actor(.service, "engine \"one\""), 42)
                    event.actorPrincipalID = Principal.id(of: event.actor)
                    (event.zone, event.redactionLevel, event.containsSecrets) = (.highStakes, .partial, true)
                    (event.idempotencyKey, event.entityType, event.entityID) = ("key-1", "run", "run_1")
                    event.eventVersion = 3
                }),
            Vector(
                name: "second of its stream", payload: payload(#"{"reason":"drained"}"#, salt: 0xF8),
                event: event("api.stopped") { event in
                    (event.streamSeq, event.eventID) = (2, "018f0000-0000-7000-8000-000000000002")
                    event.actor = Actor(.agent, "ä")
                    event.actorPrincipalID = Principal.id(of: event.actor)
                }),
        ]
        for index in vectors.indices {
            vectors[index].event.payloadDigest = EventHasher.payloadDigest(vectors[index].payload)
            if index == 2 { vectors[2].event.prevEventHash = vectors[0].event.eventHash }
            vectors[index].event.eventHash = EventHasher.eventHash(vectors[index].event)
        }
        return vectors
    }()

    @Test("The page of test vectors says what the code computes")
    func page() throws {
        let expected = Self.printPage()
        if Environment.updatesReferences {
            try Files.makeFolder(Files.split(Self.page).folder)
            try Files.writeAtomically(Array(expected.utf8), to: Self.page, mode: 0o644)
        }
        let found = try String(decoding: Files.read(Self.page, bytesMax: 1 << 20), as: UTF8.self)
        #expect(found == expected, "run with UPDATE_REFERENCE=1 to print the page again")
    }

    @Test("A second implementation made of strings comes to the same hashes", arguments: 0..<3)
    func secondImplementation(_ index: Int) {
        let (payload, event) = (Self.vectors[index].payload, Self.vectors[index].event)
        let body =
            #"{"data":"# + text(payload.data) + #","display":"# + text(payload.display) + #","model_context":"#
            + text(payload.modelContext) + #","policy_context":"# + text(payload.policyContext) + "}"
        #expect(event.payloadDigest == "sha256:" + Hex.text(SHA256.digest(payload.salt + Array(body.utf8))))
        let header = """
            {"actor_id":\(quoted(event.actor.actorID)),"actor_principal_id":\(quoted(event.actorPrincipalID)),\
            "actor_type":\(quoted(event.actor.actorType.rawValue)),"causation_id":\(quoted(event.causationID?.rawValue)),\
            "contains_secrets":\(event.containsSecrets),"correlation_id":\(quoted(event.correlationID)),\
            "entity_id":\(quoted(event.entityID)),"entity_type":\(quoted(event.entityType)),\
            "event_id":\(quoted(event.eventID.rawValue)),"event_type":\(quoted(event.eventType)),\
            "event_version":\(event.eventVersion),"hash_version":2,\
            "idempotency_key_digest":\(quoted(event.idempotencyKey.map { "sha256:" + Hex.text(SHA256.digest(Array($0.utf8))) })),\
            "mission_id":\(quoted(event.missionID)),"occurred_at":\(quoted(event.occurredAt.description)),\
            "payload_digest":\(quoted(event.payloadDigest)),"prev_event_hash":\(quoted(event.prevEventHash)),\
            "recorded_at":\(quoted(event.recordedAt.description)),"redaction_level":\(quoted(event.redactionLevel.rawValue)),\
            "room_id":\(quoted(event.roomID?.rawValue)),"run_id":\(quoted(event.runID?.rawValue)),\
            "step_id":\(quoted(event.stepID?.rawValue)),"stream_id":\(quoted(event.stream.id)),\
            "stream_seq":\(event.streamSeq),"stream_type":\(quoted(event.stream.type.rawValue)),\
            "thread_id":\(quoted(event.threadID?.rawValue)),"workspace_id":\(quoted(event.workspaceID.rawValue)),\
            "zone":\(quoted(event.zone.rawValue))}
            """
        #expect(event.eventHash == "sha256:" + Hex.text(SHA256.digest(Array(header.utf8))))
    }

    @Test("The hash is a known constant, so that neither implementation can drift with the other")
    func constant() {
        #expect(
            Self.vectors[0].event.payloadDigest
                == "sha256:8f8b7b23bd9e178f3ce18b167fee9077b29503bb11a65c6fcab70846e626931d")
        #expect(
            Self.vectors[0].event.eventHash == "sha256:6440a84bc2d8e0752b8738f5b73eed18cecbc2144c7fed8b32764a3363ec1586"
        )
        #expect(Principal.id(of: .operatorUser) == "a786c70a-8718-58aa-ba24-b06c9e2c6530")
    }

    @Test("The header has the keys of the rule, sorted, and is canonical JSON")
    func keys() throws {
        let header = try JSON.parse(EventHasher.headerBytes(Self.vectors[1].event))
        #expect(
            header.objectValue?.keys == [
                "actor_id", "actor_principal_id", "actor_type", "causation_id", "contains_secrets", "correlation_id",
                "entity_id", "entity_type", "event_id", "event_type", "event_version", "hash_version",
                "idempotency_key_digest", "mission_id", "occurred_at", "payload_digest", "prev_event_hash",
                "recorded_at",
                "redaction_level", "room_id", "run_id", "step_id", "stream_id", "stream_seq", "stream_type",
                "thread_id",
                "workspace_id", "zone",
            ])
        for vector in Self.vectors {
            let bytes = EventHasher.headerBytes(vector.event)
            #expect(JSON.canonical(try JSON.parse(bytes)) == bytes)
        }
    }

    @Test("Each member of the header changes the hash; the global number does not")
    func coverage() {
        let event = Self.vectors[1].event
        let changes: [(String, (inout EventEnvelope) -> Void)] = [
            ("event_id", { $0.eventID = "other" }), ("event_type", { $0.eventType = "run.failed" }),
            ("event_version", { $0.eventVersion += 1 }),
            ("occurred_at", { $0.occurredAt = $0.occurredAt.adding(milliseconds: 1) }),
            ("recorded_at", { $0.recordedAt = $0.recordedAt.adding(milliseconds: 1) }),
            ("workspace_id", { $0.workspaceID = "ws_x" }), ("mission_id", { $0.missionID = nil }),
            ("room_id", { $0.roomID = nil }), ("thread_id", { $0.threadID = nil }), ("run_id", { $0.runID = nil }),
            ("step_id", { $0.stepID = nil }), ("actor_type", { $0.actor.actorType = .user }),
            ("actor_id", { $0.actor.actorID = "x" }), ("actor_principal_id", { $0.actorPrincipalID = "x" }),
            ("zone", { $0.zone = .sandbox }), ("stream_type", { $0.stream.type = .thread }),
            ("stream_id", { $0.stream.id = "x" }), ("stream_seq", { $0.streamSeq += 1 }),
            ("correlation_id", { $0.correlationID = "x" }), ("causation_id", { $0.causationID = nil }),
            ("redaction_level", { $0.redactionLevel = .full }), ("contains_secrets", { $0.containsSecrets = false }),
            ("idempotency_key", { $0.idempotencyKey = nil }), ("entity_type", { $0.entityType = nil }),
            ("entity_id", { $0.entityID = nil }), ("payload_digest", { $0.payloadDigest = "x" }),
            ("prev_event_hash", { $0.prevEventHash = "x" }),
        ]
        for (name, change) in changes {
            var changed = event
            change(&changed)
            #expect(EventHasher.eventHash(changed) != event.eventHash, "\(name)")
        }
        var moved = event
        moved.globalSeq = 999
        #expect(EventHasher.eventHash(moved) == event.eventHash)
    }

    @Test("The principal of an actor is a UUID of version 5, by RFC 9562")
    func principals() {
        // RFC 9562, A.4: the name www.example.com in the DNS namespace.
        let dns = Hex.bytes("6ba7b8109dad11d180b400c04fd430c8")!
        #expect(
            UUIDText.version5(sha1: SHA1.digest(dns + Array("www.example.com".utf8)))
                == "2ed6657d-e927-568b-95e1-2665a8aea6a2")
        #expect(Principal.id(of: Actor(.user, "a")) != Principal.id(of: Actor(.agent, "a")))
        #expect(Principal.id(of: Actor(.user, "a")) == Principal.id(of: Actor(.user, "a")))
    }

    // MARK: Strings

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// RFC 8785 for the few characters that the vectors have.
    private func quoted(_ text: String?) -> String {
        guard let text else { return "null" }
        return "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }

    private static func printPage() -> String {
        var page = """
            # Hash chain: the rule and its test vectors

            Printed by `HashChainTests` from the code (`UPDATE_REFERENCE=1 swift test --filter HashChainTests`).

            - `payload_digest` = `"sha256:" + hex(SHA-256(salt || JCS({data, display, model_context, policy_context})))`, with 16 random
              bytes of salt. An erasure removes payload and salt; the digest stays, so the chain still holds.
            - `event_hash` = `"sha256:" + hex(SHA-256(JCS(header)))`. The header has exactly the keys below; what is absent is `null`.
              `idempotency_key_digest` is `"sha256:" + hex(SHA-256(key))`. `global_seq` is outside.
            - `prev_event_hash` is the `event_hash` of the event before in the same stream, `null` for the first.
            - JCS is RFC 8785. Version of the rule: `hash_version` \(EventEnvelope.hashVersion).
            - An erased event has neither payload nor salt, and an `event.erased` in the same stream names it; without one it is a fault.
            - The log is a Merkle tree (RFC 6962, SHA-256): leaf n − 1 is the text of the `event_hash` of the event with `global_seq` n. Its
              root is signed as a C2SP checkpoint (`GET /v1/audit/checkpoint`).

            """
        for vector in vectors {
            let body =
                #"{"data":"# + String(decoding: vector.payload.data, as: UTF8.self) + #","display":"#
                + String(decoding: vector.payload.display, as: UTF8.self) + #","model_context":"#
                + String(decoding: vector.payload.modelContext, as: UTF8.self) + #","policy_context":"#
                + String(decoding: vector.payload.policyContext, as: UTF8.self) + "}"
            page += """

                ## Vector: \(vector.name)

                | | |
                |---|---|
                | salt (hex) | `\(Hex.text(vector.payload.salt))` |
                | payload | `\(body)` |
                | payload_digest | `\(vector.event.payloadDigest)` |
                | idempotency key | \(vector.event.idempotencyKey.map { "`\($0)`" } ?? "none") |
                | header | `\(String(decoding: EventHasher.headerBytes(vector.event), as: UTF8.self))` |
                | event_hash | `\(vector.event.eventHash)` |

                """
        }
        page += """

            ## Principals

            `actor_principal_id` is the UUIDv5 of `<actor_type>:<actor_id>` in the namespace `3f2c5d1e-7a40-5b6f-9c1d-a905a6e27001`.

            | actor | principal |
            |---|---|

            """
        for actor in [Actor.operatorUser, .api, .secretScanner, Actor(.agent, "ä")] {
            page += "| `\(actor)` | `\(Principal.id(of: actor))` |\n"
        }
        return page
    }
}
