import HTTP

// What others check history with.

extension Endpoint where Body == Nothing, Answer == CheckpointAnswer {
    package static var checkpoint: Self {
        .init(
            .get, "/v1/audit/checkpoint",
            "How far the log is, signed: a C2SP checkpoint over the hashes of all events. Keep it elsewhere.",
            refuses: [.integrityHold],
            notes: """
                `note` is the checkpoint (https://c2sp.org/tlog-checkpoint): origin, tree size, root (RFC 6962, the leaves are the \
                `event_hash`es as text in the order of `global_seq`) and an Ed25519 signature. `verifier_key` is the public key as \
                one line: get it once, from a machine you trust, and keep it apart. `integrity_hold`: the log contradicts \
                what was signed of it before, so nothing is signed.
                """)
    }
}

extension Endpoint where Body == Nothing, Answer == AuditExport {
    package static var auditExport: Self {
        .init(
            .get, "/v1/audit/export",
            "Events with all that others need to check them without this api; `aos audit export` makes a bundle of it.",
            query: [
                .init("run_id", "The events of this run."),
                .init(
                    "since", .time, "Instead of a run: what was recorded from this time on; without either, all of it.",
                    refusal: .invalidField),
                .init("until", .time, "Only what was recorded before this time.", refusal: .invalidField),
            ], refuses: [.integrityHold, .invalidField, .runNotFound],
            notes: """
                One line of each list belongs to one event. `headers` are the exact bytes that were hashed (HASH_CHAIN.md), `places` \
                the `global_seq`, `payloads` are `<global_seq> <salt> <payload>`, or `<global_seq> erased`. `nodes` are `<from> <to> <root>`: \
                roots over the leaves from (counted from 0) up to before, as many as prove every line. `manifest` is a \
                signed note of what was exported, `checkpoint` the signed log that it is of. At most 20,000 events and 32 MiB.
                """)
    }
}

/// A signed state of the log.
package struct CheckpointAnswer: Codable, Hashable, Sendable {
    package var note: String
    package var origin: String
    package var size: Int64
    package var root: String
    package var signedAt: Timestamp
    /// `<name>+<key id>+<base64>` (C2SP signed-note).
    package var verifierKey: String

    package init(
        note: String, origin: String, size: Int64, root: String, signedAt: Timestamp, verifierKey: String
    ) {
        (self.note, self.origin, self.size, self.root) = (note, origin, size, root)
        (self.signedAt, self.verifierKey) = (signedAt, verifierKey)
    }
}

/// Events and their proofs, as lines of the files of a bundle.
package struct AuditExport: Codable, Hashable, Sendable {
    package var checkpoint: String
    package var manifest: String
    package var headers: [String]
    package var places: [Int64]
    package var payloads: [String]
    package var nodes: [String]
    /// Of `payloads`: those that were erased.
    package var erased: Int

    package init(
        checkpoint: String, manifest: String, headers: [String], places: [Int64], payloads: [String], nodes: [String],
        erased: Int
    ) {
        (self.checkpoint, self.manifest, self.headers) = (checkpoint, manifest, headers)
        (self.places, self.payloads, self.nodes, self.erased) = (places, payloads, nodes, erased)
    }
}
