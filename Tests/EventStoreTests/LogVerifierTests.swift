import Crypto
import DatabaseCore
import JSON
import Platform
import Shared
import Testing

@testable import EventStore

/// Somebody edits the file: the verifier names the stream and the number.
struct LogVerifierTests {
    private let bench: Bench
    private static let a = StreamID(.room, "room_a")
    private static let b = StreamID(.room, "room_b")

    /// Two streams, interleaved: room_a has the odd global numbers, room_b the even ones.
    init() throws {
        bench = try Bench()
        for number in 1...6 {
            try bench.append(note("a\(number)", room: "room_a", key: "k\(number)"), note("b\(number)", room: "room_b"))
        }
    }

    private func tampered(_ statements: String) throws -> LogVerification {
        try bench.tamper(Bench.dropTriggers + statements)
        return try bench.verify()
    }

    /// Exactly one fault, at this place; verifying the stream alone finds it too.
    private func expect(
        _ kind: ChainFaultKind, at stream: StreamID, _ seq: Int64, in verification: LogVerification,
        _ location: SourceLocation = #_sourceLocation
    ) throws {
        #expect(!verification.valid, sourceLocation: location)
        #expect(
            verification.faults.map { "\($0.kind) \($0.streamType.rawValue)/\($0.streamID) \($0.streamSeq)" }
                == ["\(kind) \(stream) \(seq)"], sourceLocation: location)
        let alone = try bench.database.read { try LogVerifier.verify(stream, limit: 10_000, in: $0) }
        #expect(alone.firstMismatch?.kind == kind && alone.firstMismatch?.streamSeq == seq, sourceLocation: location)
        let other = stream == Self.a ? Self.b : Self.a
        #expect(
            try bench.database.read { try LogVerifier.verify(other, limit: 10_000, in: $0).valid },
            sourceLocation: location)
    }

    @Test("A clean log is valid, whole and stream by stream")
    func clean() throws {
        let verification = try bench.verify()
        #expect(verification.valid && verification.faults.isEmpty)
        #expect(
            (verification.events, verification.streams, verification.erased, verification.headGlobalSeq) == (
                12, 2, 0, 12
            ))
        let stream = try bench.database.read { try LogVerifier.verify(Self.a, limit: 10_000, in: $0) }
        #expect(stream.valid && stream.checked == 6 && stream.firstMismatch == nil)
        #expect(stream.lastEventHash == (try bench.stored().last { $0.envelope.stream == Self.a }?.envelope.eventHash))
        let empty = try Bench().verify()
        #expect(empty.valid && empty.events == 0)
    }

    @Test("One byte of a payload", arguments: EventTable.payloadColumns)
    func payload(_ column: String) throws {
        let stored = Bench.stored(column)
        let change =
            column == "payload_salt"
            ? "payload_salt = \(Bench.otherSalt)" : "\(stored) = replace(\(stored), '}', ' }')"
        try expect(
            .payloadDigestMismatch, at: Self.a, 3,
            in: tampered("UPDATE evt_events SET \(change) WHERE stream_id = 'room_a' AND stream_seq = 3"))
    }

    @Test(
        "One byte of a header",
        arguments: timeChanges + [
            ("event_id", "replace(event_id, '-', '_')"), ("event_type", "'run.completeD'"),
            ("event_version", "event_version + 1"),
            ("workspace_id", "'ws_tesT'"), ("mission_id", "'m'"), ("thread_id", "'t'"), ("run_id", "'run_2'"),
            ("step_id", "'s'"), ("actor_type", "'agent'"), ("actor_id", "'operatoR'"), ("actor_principal_id", "'p'"),
            ("zone", "'sandbox'"), ("correlation_id", "'corr_2'"), ("causation_id", "'c'"),
            ("redaction_level", "'full'"), ("contains_secrets", Bench.isSQLite ? "1" : "true"),
            ("idempotency_key", "'k33'"), ("idempotency_key", "NULL"), ("entity_type", "'e'"), ("entity_id", "'e'"),
            ("payload_digest", "replace(payload_digest, 'sha256:', 'sha256;')"), ("room_id", "'room_c'"),
            ("event_hash", "upper(event_hash)"), ("zone", "'no such zone'"),
            ("stream_seq", "3"),
        ])
    func header(_ column: String, _ value: String) throws {
        let verification = try tampered(
            "UPDATE evt_events SET \(column) = \(value) WHERE stream_id = 'room_a' AND stream_seq = 3")
        if column == "stream_seq" {
            #expect(verification.valid, "nothing was changed")
        } else {
            try expect(.eventHashMismatch, at: Self.a, 3, in: verification)
        }
    }

    private static let timeChanges: [(String, String)] =
        Bench.isSQLite
        ? [
            ("occurred_at", "replace(occurred_at, '2026', '2025')"),
            ("recorded_at", "replace(recorded_at, '2026', '2025')"), ("occurred_at", "lower(occurred_at)"),
            ("recorded_at", "replace(recorded_at, 'Z', 'z')"), ("recorded_at", "replace(recorded_at, 'Z', '+00:00')"),
            ("recorded_at", "'no time'"), ("contains_secrets", "2"),
        ]
        : [
            ("occurred_at", "occurred_at - interval '1 year'"), ("recorded_at", "recorded_at + interval '1 ms'"),
            ("occurred_at", "occurred_at + interval '1 microsecond'"),
            ("recorded_at", "recorded_at - interval '1 microsecond'"), ("recorded_at", "'infinity'"),
        ]

    @Test("A changed link to the event before")
    func link() throws {
        try expect(
            .prevHashMismatch, at: Self.a, 4,
            in: tampered(
                "UPDATE evt_events SET prev_event_hash = upper(prev_event_hash) WHERE stream_id = 'room_a' AND stream_seq = 4"
            ))
    }

    @Test("A missing hash")
    func missingHash() throws {
        try expect(
            .eventHashMissing, at: Self.a, 4,
            in: tampered("UPDATE evt_events SET event_hash = '' WHERE stream_id = 'room_a' AND stream_seq = 4"))
    }

    @Test("A deleted row, first, in the middle", arguments: [Int64(1), 3, 5])
    func deleted(_ seq: Int64) throws {
        try expect(
            .gap, at: Self.a, seq,
            in: tampered("DELETE FROM evt_events WHERE stream_id = 'room_a' AND stream_seq = \(seq)"))
    }

    @Test("A deleted row whose global number was closed up")
    func deletedAndRenumbered() throws {
        try expect(
            .gap, at: Self.a, 3,
            in: tampered(
                """
                DELETE FROM evt_events WHERE global_seq = 5;
                UPDATE evt_events SET global_seq = -global_seq WHERE global_seq > 5;
                UPDATE evt_events SET global_seq = -global_seq - 1 WHERE global_seq < 0;
                """))
    }

    @Test("A cut tail, at the end of the log and before it", arguments: [(Int64(5), Int64(6)), (4, 5)])
    func cutTail(_ kept: Int64, _ seq: Int64) throws {
        try expect(
            .tailMissing, at: Self.a, seq,
            in: tampered("DELETE FROM evt_events WHERE stream_id = 'room_a' AND stream_seq > \(kept)"))
    }

    @Test("A whole stream that is gone")
    func wholeStream() throws {
        try expect(.tailMissing, at: Self.a, 1, in: tampered("DELETE FROM evt_events WHERE stream_id = 'room_a'"))
    }

    @Test("Two rows swapped in their places")
    func swapped() throws {
        try expect(
            .prevHashMismatch, at: Self.a, 3,
            in: tampered(
                """
                UPDATE evt_events SET stream_seq = 1000 WHERE stream_id = 'room_a' AND stream_seq = 3;
                UPDATE evt_events SET stream_seq = 3, global_seq = 1001 WHERE stream_id = 'room_a' AND stream_seq = 4;
                UPDATE evt_events SET stream_seq = 4, global_seq = 7 WHERE stream_id = 'room_a' AND stream_seq = 1000;
                UPDATE evt_events SET global_seq = 5 WHERE global_seq = 1001;
                """))
    }

    @Test("Two rows swapped in the order of recording only")
    func swappedGlobally() throws {
        let verification = try tampered(
            """
            UPDATE evt_events SET global_seq = 1001 WHERE global_seq = 5;
            UPDATE evt_events SET global_seq = 5 WHERE global_seq = 7;
            UPDATE evt_events SET global_seq = 7 WHERE global_seq = 1001;
            """)
        #expect(!verification.valid)
        #expect(verification.faults.map { "\($0.kind) \($0.streamID) \($0.streamSeq)" } == ["gap room_a 3"])
    }

    @Test("The payloads of two rows swapped")
    func swappedPayloads() throws {
        let verification = try tampered(
            """
            UPDATE evt_events SET (\(Bench.stored("data")), payload_salt) =
                (SELECT \(Bench.stored("data")), payload_salt FROM evt_events WHERE global_seq = 6) WHERE global_seq = 5;
            """)
        try expect(.payloadDigestMismatch, at: Self.a, 3, in: verification)
    }

    @Test("One event rewritten with all its hashes right")
    func rehashed() throws {
        var event = try #require(
            try bench.stored().first { $0.envelope.stream == Self.a && $0.envelope.streamSeq == 3 })
        event.payload!.data = Array(#"{"run_id":"run_1","summary":"forged"}"#.utf8)
        event.envelope.payloadDigest = EventHasher.payloadDigest(event.payload!)
        event.envelope.eventHash = EventHasher.eventHash(event.envelope)
        // The forged event is sound in itself; the next one tells.
        try expect(
            .prevHashMismatch, at: Self.a, 4,
            in: tampered(
                """
                UPDATE evt_events SET \(Bench.stored("data")) = '\(String(decoding: event.payload!.data, as: UTF8.self))',
                    payload_digest = '\(event.envelope.payloadDigest)', event_hash = '\(event.envelope.eventHash)'
                WHERE global_seq = \(event.envelope.globalSeq)
                """))
    }

    @Test("A head that counts too many, too few, or is gone")
    func heads() throws {
        try bench.tamper(Bench.dropTriggers)
        for (value, kind, seq) in [(9, ChainFaultKind.tailMissing, Int64(7)), (5, .headMismatch, 7)] {
            try bench.tamper("UPDATE evt_stream_heads SET next_seq = \(value) WHERE stream_id = 'room_a'")
            try expect(kind, at: Self.a, seq, in: bench.verify())
        }
        try bench.tamper("DELETE FROM evt_stream_heads WHERE stream_id = 'room_a'")
        try expect(.headMismatch, at: Self.a, 1, in: bench.verify())
    }

    @Test("A tail that was cut together with its head shows as a hole in the order of recording")
    func cutTailAndHead() throws {
        let verification = try tampered(
            """
            DELETE FROM evt_events WHERE stream_id = 'room_a' AND stream_seq > 4;
            UPDATE evt_stream_heads SET next_seq = 5 WHERE stream_id = 'room_a';
            """)
        #expect(!verification.valid)
        #expect(verification.faults.map(\.kind) == [.orderMismatch, .orderMismatch])
        #expect(verification.faults.map(\.streamSeq) == [5, 6])
        #expect(verification.faults[0].detail.contains("expected global_seq 9, found 10"))
    }

    @Test("Faults in two streams are both named, and each stream once")
    func twoStreams() throws {
        let verification = try tampered(
            """
            UPDATE evt_events SET zone = 'sandbox' WHERE stream_id = 'room_a' AND stream_seq IN (2, 3, 5);
            DELETE FROM evt_events WHERE stream_id = 'room_b' AND stream_seq = 4;
            """)
        #expect(
            verification.faults.map { "\($0.kind) \($0.streamID) \($0.streamSeq)" } == [
                "eventHashMismatch room_a 2", "gap room_b 4",
            ])
    }

    @Test("A row that cannot be read is a fault of its stream and of no other")
    func unreadable() throws {
        let change = Bench.isSQLite ? "recorded_at = ''" : "redaction_level = 'none at all'"
        try expect(
            .eventHashMismatch, at: Self.a, 3,
            in: tampered("UPDATE evt_events SET \(change) WHERE stream_id = 'room_a' AND stream_seq = 3"))
    }

    @Test("An erased event counts as erased, and the chain still holds; one that kept its salt does not pass")
    func erased() throws {
        let erase = Bench.storedPayload.map { "\($0) = NULL" }.joined(separator: ", ")
        try bench.tamper("UPDATE evt_events SET \(erase) WHERE stream_id = 'room_a' AND stream_seq IN (1, 4)")
        for event in try bench.stored() where event.payload == nil {
            try bench.append(EventStoreTests.erased(event.envelope))
        }
        let verification = try bench.verify()
        #expect(verification.valid && verification.erased == 2)
        let stream = try bench.database.read { try LogVerifier.verify(Self.a, limit: 10_000, in: $0) }
        #expect(stream.valid && stream.erased == 2)
        try bench.append(note("after"))
        #expect(try bench.verify().valid)
        try expect(
            .payloadDigestMismatch, at: Self.b, 2,
            in: tampered(
                "UPDATE evt_events SET \(Bench.stored("data")) = NULL WHERE stream_id = 'room_b' AND stream_seq = 2"))
    }

    @Test(
        "A copy made by flipping any one byte of a row's text is found", .enabled(if: Bench.isSQLite),
        arguments: [UInt64(3), 5, 8])
    func randomBytes(_ seed: UInt64) throws {
        let dice = SeededEntropy(seed: seed)
        try bench.tamper(Bench.dropTriggers)
        for _ in 0..<40 {
            let columns = (EventTable.headerColumns + EventTable.payloadColumns).filter {
                !["global_seq", "event_version", "stream_seq", "contains_secrets", "payload_salt"].contains($0)
            }
            let column = columns[Int(dice.integer(in: 0...Int64(columns.count - 1)))]
            let globalSeq = dice.integer(in: 1...12)
            let row = try bench.database.read { transaction in
                try transaction.first(
                    SQL(unsafeText: "SELECT \(column) AS v FROM evt_events WHERE global_seq = \(globalSeq)")
                ) {
                    try $0.value("v")
                }
            }
            guard case .text(let old)? = row, !old.isEmpty else { continue }
            var bytes = Array(old.utf8)
            bytes[Int(dice.integer(in: 0...Int64(bytes.count - 1)))] ^= UInt8(1 << dice.integer(in: 0...6))
            let new = Hex.text(bytes)
            try bench.tamper(
                "PRAGMA ignore_check_constraints = ON; UPDATE evt_events SET \(column) = CAST(x'\(new)' AS TEXT) WHERE global_seq = \(globalSeq)"
            )
            #expect(
                try !bench.verify().valid,
                "\(column) of \(globalSeq): \(old) became \(String(decoding: bytes, as: UTF8.self))")
            try bench.tamper(
                "PRAGMA ignore_check_constraints = ON; UPDATE evt_events SET \(column) = CAST(x'\(Hex.text(Array(old.utf8)))' AS TEXT) WHERE global_seq = \(globalSeq)"
            )
            #expect(try bench.verify().valid)
        }
    }
}
