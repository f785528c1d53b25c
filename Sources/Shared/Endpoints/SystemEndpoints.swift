import HTTP

// The instance: health, kill switch, audit.

extension Endpoint where Body == Nothing, Answer == Nothing {
    package static var landing: Self {
        .init(
            .get, "/", "What a browser finds at the address: the web UI, and for others where to look.",
            answers: ["text/plain", "text/html"], refuses: [.routeNotFound])
    }
}

extension Endpoint where Body == Nothing, Answer == Nothing {
    package static var openAPI: Self {
        .init(.get, "/openapi.json", "This interface, as OpenAPI \(OpenAPIDocument.version).")
    }
}

extension Endpoint where Body == Nothing, Answer == Health {
    package static var health: Self {
        .init(.get, "/health", "Whether the api serves, and in which mode. No credential needed.")
    }
}

extension Endpoint where Body == Nothing, Answer == KillSwitchAnswer {
    package static var killSwitch: Self {
        .init(.get, "/v1/kill-switch", "Whether external writes are held, by whom and why.")
    }
}

extension Endpoint where Body == SetKillSwitch, Answer == KillSwitchAnswer {
    package static var setKillSwitch: Self {
        .init(
            .post, "/v1/kill-switch",
            "Holds or releases external writes; answers when none can start any more (RULINGS 25).",
            refuses: [.killSwitchSetByEnvironment], example: SetKillSwitch(engaged: false, reason: "All clear"))
    }
}

extension Endpoint where Body == Nothing, Answer == StreamVerification {
    package static var verifyStream: Self {
        .init(
            .get, "/v1/audit/hash-chain/verify", "Walks one stream and recomputes every hash.",
            query: [
                .choice("stream_type", StreamType.self, "`workspace` if not given.", .invalidStreamType),
                .init("stream_id", "The caller's workspace if not given."),
                .init(
                    "from_seq", .integer(0...Int64.max),
                    "Goes on after this `stream_seq`, whose hash is taken as given.",
                    refusal: .invalidCursor), .limit(2_000, max: 10_000),
            ], refuses: [.streamNotFound])
    }
}

extension Endpoint where Body == Nothing, Answer == LogVerification {
    package static var verifyLog: Self {
        .init(.get, "/v1/audit/verify", "Walks the whole log, its heads and the head file.")
    }
}

extension Endpoint where Body == Nothing, Answer == ProjectionCheck {
    package static var checkProjections: Self {
        .init(
            .post, "/v1/projections/check",
            "Folds the whole log again beside the live tables and compares them byte for byte.")
    }
}

extension Endpoint where Body == Nothing, Answer == Nothing {
    package static var backup: Self {
        .init(
            .post, "/v1/system/backup",
            "Hands out a checked copy of everything, for `aos restore`: as secret as the data directory.",
            answers: ["application/x-tar"], refuses: [.storageFull, .storageUnavailable],
            notes: """
                A tar file: `manifest.json`, `aos.db`, the instance's secrets, contents of artifacts, and last `SHA256SUMS` \
                over all of them. It is whole when `SHA256SUMS` and two blocks of zeros have come; a body that ends before is \
                none. The database is as of one moment, also under load; `log.backed_up` is recorded before the first byte. \
                One is made at a time.
                """)
    }
}

/// No body, or nothing to say.
package struct Nothing: Codable, Hashable, Sendable {
    package init() {}
}

/// It is done.
package struct Done: Codable, Hashable, Sendable {
    package var ok: Bool

    package init(ok: Bool) {
        self.ok = ok
    }
}

/// The state of the api process.
package struct Health: Codable, Hashable, Sendable {
    package var ok: Bool
    package var ts: Timestamp?
    package var version: String
    package var enforcementMode: EnforcementMode
    package var killSwitch: Bool
    package var draining: Bool

    package init(
        ok: Bool, ts: Timestamp? = nil, version: String, enforcementMode: EnforcementMode, killSwitch: Bool,
        draining: Bool
    ) {
        (self.ok, self.ts, self.version, self.enforcementMode) = (ok, ts, version, enforcementMode)
        (self.killSwitch, self.draining) = (killSwitch, draining)
    }
}

/// Engage or lift the operator's hold on external writes.
package struct SetKillSwitch: Codable, Hashable, Sendable, RuledBody {
    package static let rules: [FieldRule] = [.present("engaged"), .text("reason", bytesMax: Limits.textBytesMax)]

    package var engaged: Bool?
    package var reason: String?

    package init(engaged: Bool? = nil, reason: String? = nil) {
        (self.engaged, self.reason) = (engaged, reason)
    }
}

/// The state of the kill switch.
package struct KillSwitchAnswer: Codable, Hashable, Sendable {
    package var engaged: Bool
    package var killSwitch: KillSwitch
    /// External calls that were let through before and have not been reported as ended.
    package var unconfirmed: [ToolCallID]

    package init(engaged: Bool, killSwitch: KillSwitch, unconfirmed: [ToolCallID]) {
        (self.engaged, self.killSwitch, self.unconfirmed) = (engaged, killSwitch, unconfirmed)
    }
}

/// What the walk over one stream found.
package struct StreamVerification: Codable, Hashable, Sendable {
    package var streamType: StreamType
    package var streamID: String
    package var checked: Int64
    package var valid: Bool
    package var firstMismatch: ChainFault?
    package var lastEventHash: String?
    /// Events whose payload was erased on purpose; the chain holds over them.
    package var erased: Int64
    /// The walk stopped at its limit: the stream goes on after ``lastStreamSeq``, and nothing is said about the rest.
    package var truncated: Bool
    /// Where the walk ended: the `from_seq` to go on with.
    package var lastStreamSeq: Int64

    package init(
        streamType: StreamType, streamID: String, checked: Int64, valid: Bool, firstMismatch: ChainFault? = nil,
        lastEventHash: String? = nil, erased: Int64, truncated: Bool, lastStreamSeq: Int64
    ) {
        (self.streamType, self.streamID, self.checked, self.valid) = (streamType, streamID, checked, valid)
        (self.firstMismatch, self.lastEventHash, self.erased) = (firstMismatch, lastEventHash, erased)
        (self.truncated, self.lastStreamSeq) = (truncated, lastStreamSeq)
    }
}

/// The first place where a stream is not what was recorded.
package struct ChainFault: Codable, Hashable, Sendable {
    package var streamType: StreamType
    package var streamID: String
    package var streamSeq: Int64
    package var globalSeq: Int64?
    package var eventID: EventID?
    package var eventType: String?
    package var kind: ChainFaultKind
    package var expectedPrevEventHash: String?
    package var actualPrevEventHash: String?
    package var expectedEventHash: String?
    package var actualEventHash: String?
    package var detail: String

    package init(
        streamType: StreamType, streamID: String, streamSeq: Int64, globalSeq: Int64? = nil, eventID: EventID? = nil,
        eventType: String? = nil, kind: ChainFaultKind, expectedPrevEventHash: String? = nil,
        actualPrevEventHash: String? = nil, expectedEventHash: String? = nil, actualEventHash: String? = nil,
        detail: String
    ) {
        (self.streamType, self.streamID, self.streamSeq, self.globalSeq) = (streamType, streamID, streamSeq, globalSeq)
        (self.eventID, self.eventType, self.kind, self.expectedPrevEventHash) = (
            eventID, eventType, kind, expectedPrevEventHash
        )
        (self.actualPrevEventHash, self.expectedEventHash, self.actualEventHash, self.detail) = (
            actualPrevEventHash, expectedEventHash, actualEventHash, detail
        )
    }
}

/// What the walk over the whole log found.
package struct LogVerification: Codable, Hashable, Sendable {
    package var valid: Bool
    package var events: Int64
    package var streams: Int64
    package var erased: Int64
    package var headGlobalSeq: Int64
    /// The first fault of each stream, at most 100.
    package var faults: [ChainFault]
    package var headFile: HeadFileCheck?
    package var checkpoints: CheckpointCheck?

    package init(
        valid: Bool, events: Int64, streams: Int64, erased: Int64, headGlobalSeq: Int64, faults: [ChainFault],
        headFile: HeadFileCheck? = nil, checkpoints: CheckpointCheck? = nil
    ) {
        (self.valid, self.events, self.streams, self.erased) = (valid, events, streams, erased)
        (self.headGlobalSeq, self.faults, self.headFile) = (headGlobalSeq, faults, headFile)
        self.checkpoints = checkpoints
    }
}

/// How the log compares with the last line of the head file beside the database.
package struct HeadFileCheck: Codable, Hashable, Sendable {
    package var path: String
    package var lines: Int64
    package var globalSeq: Int64?
    package var consistent: Bool
    package var detail: String

    package init(path: String, lines: Int64, globalSeq: Int64? = nil, consistent: Bool, detail: String) {
        (self.path, self.lines, self.globalSeq, self.consistent) = (path, lines, globalSeq, consistent)
        self.detail = detail
    }
}

/// How the log compares with what of it was signed.
package struct CheckpointCheck: Codable, Hashable, Sendable {
    package var path: String
    package var origin: String
    /// Checkpoints of this origin in the file.
    package var lines: Int64
    /// Up to this event the log has been signed.
    package var size: Int64?
    package var consistent: Bool
    package var detail: String

    package init(
        path: String, origin: String, lines: Int64, size: Int64? = nil, consistent: Bool, detail: String
    ) {
        (self.path, self.origin, self.lines, self.size) = (path, origin, lines, size)
        (self.consistent, self.detail) = (consistent, detail)
    }
}

/// Whether the rebuilt tables equal the live ones.
package struct ProjectionCheck: Codable, Hashable, Sendable {
    package var equal: Bool
    package var events: Int64
    package var tables: [TableCheck]

    package init(equal: Bool, events: Int64, tables: [TableCheck]) {
        (self.equal, self.events, self.tables) = (equal, events, tables)
    }
}

/// One table, live and rebuilt.
package struct TableCheck: Codable, Hashable, Sendable {
    package var table: String
    package var liveRows: Int64
    package var rebuiltRows: Int64
    package var liveDigest: String
    package var rebuiltDigest: String
    package var firstDifference: String?

    package init(
        table: String, liveRows: Int64, rebuiltRows: Int64, liveDigest: String, rebuiltDigest: String,
        firstDifference: String? = nil
    ) {
        (self.table, self.liveRows, self.rebuiltRows, self.liveDigest) = (table, liveRows, rebuiltRows, liveDigest)
        (self.rebuiltDigest, self.firstDifference) = (rebuiltDigest, firstDifference)
    }
}

package enum ChainFaultKind: String, CaseIterable, Codable, Sendable {
    /// The link to the event before is not that event's hash.
    case prevHashMismatch = "prev_hash_mismatch"
    case eventHashMissing = "event_hash_missing"
    /// A header field is not what was hashed.
    case eventHashMismatch = "event_hash_mismatch"
    /// The payload is not what was hashed.
    case payloadDigestMismatch = "payload_digest_mismatch"
    /// A number is missing in the stream.
    case gap
    /// The stream ends before its head says, or before the head file says.
    case tailMissing = "tail_missing"
    /// Events are there that no head counts.
    case headMismatch = "head_mismatch"
    /// The order over all streams is not the order of recording.
    case orderMismatch = "order_mismatch"
}
