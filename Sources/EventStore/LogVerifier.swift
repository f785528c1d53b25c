package import DatabaseCore
package import Shared

/// Recomputes what the log claims: digests, hashes, links, numbers, heads.
package struct LogVerifier {
    package static let faultsMax = 100

    /// Where a stream stands while the log is walked.
    private struct Tip {
        var seq: Int64 = 0
        var hash: String?
        var isBroken = false
    }

    private var tips: [StreamID: Tip] = [:]
    private var faults: [ChainFault] = []
    private var events: Int64 = 0
    private var erased: Int64 = 0
    private var lastGlobalSeq: Int64 = 0
    /// Holes in the order of recording. A lost event is a fault of its own stream; these tell only of one that no stream
    /// misses, so they are kept apart.
    private var orderFaults: [ChainFault] = []
    private var missingInOrder: Int64 = 0
    private var missingInStreams: Int64 = 0
    private let erasures: ErasedForms

    private init(in transaction: any ReadTransaction) throws { erasures = try ErasedForms(in: transaction) }

    /// Walks the whole log.
    package static func verifyLog(in transaction: any ReadTransaction) throws -> LogVerification {
        var verifier = try LogVerifier(in: transaction)
        var statement = EventTable.select(on: transaction.backend)
        statement.append(" ORDER BY global_seq")
        try transaction.scan(statement) { row in
            verifier.checkRow(row, inOrderOfRecording: true)
            return true
        }
        try verifier.checkHeads("SELECT * FROM evt_stream_heads", in: transaction)
        verifier.reportOrder()
        return LogVerification(
            valid: verifier.faults.isEmpty, events: verifier.events, streams: Int64(verifier.tips.count),
            erased: verifier.erased, headGlobalSeq: verifier.lastGlobalSeq, faults: verifier.faults)
    }

    /// Walks one stream, from its beginning or behind an event of it whose hash is taken as given.
    /// - Parameter limit: Events that are looked at; the walk says when there are more.
    package static func verify(
        _ stream: StreamID, after seq: Int64 = 0, limit: Int, in transaction: any ReadTransaction
    ) throws -> StreamVerification {
        var verifier = try LogVerifier(in: transaction)
        if seq > 0 {
            let hash = try transaction.first(
                """
                SELECT event_hash FROM evt_events WHERE stream_type = \(stream.type.rawValue)
                    AND stream_id = \(stream.id) AND stream_seq = \(seq)
                """
            ) { try $0.get("event_hash", as: String.self) }
            verifier.tips[stream] = Tip(seq: seq, hash: hash)
        }
        var (walked, hasMore) = (0, false)
        var statement = EventTable.select(on: transaction.backend)
        statement.append(
            """
             WHERE stream_type = \(stream.type.rawValue) AND stream_id = \(stream.id) AND stream_seq > \(seq)
            ORDER BY stream_seq LIMIT \(limit + 1)
            """)
        try transaction.scan(statement) { row in
            hasMore = walked == limit
            if hasMore { return false }
            walked += 1
            verifier.checkRow(row, inOrderOfRecording: false)
            return true
        }
        if !hasMore {
            try verifier.checkHeads(
                """
                SELECT * FROM evt_stream_heads
                WHERE stream_type = \(stream.type.rawValue) AND stream_id = \(stream.id)
                """, in: transaction)
        }
        return StreamVerification(
            streamType: stream.type, streamID: stream.id, checked: verifier.events, valid: verifier.faults.isEmpty,
            firstMismatch: verifier.faults.first, lastEventHash: verifier.tips[stream]?.hash, erased: verifier.erased,
            truncated: hasMore, lastStreamSeq: verifier.tips[stream]?.seq ?? 0)
    }

    /// A tampered row may not even be readable as an event: that is a finding, not a failure.
    private mutating func checkRow(_ row: any Row, inOrderOfRecording: Bool) {
        do {
            let event = try StoredEvent(row: row)
            check(
                event, isExact: try isExact(event, row),
                isPayloadWhole: try event.payload != nil || isWhollyErased(row), inOrderOfRecording: inOrderOfRecording)
        } catch {
            events += 1
            lastGlobalSeq = (try? row.get("global_seq")) ?? lastGlobalSeq + 1
            let stream = StreamID(
                (try? row.get("stream_type", as: StreamType.self)) ?? .workspace,
                (try? row.get("stream_id", as: String.self)) ?? "?")
            var tip = tips[stream] ?? Tip()
            if !tip.isBroken {
                report(
                    .eventHashMismatch, stream, (try? row.get("stream_seq", as: Int64.self)) ?? tip.seq + 1, nil,
                    detail: "the row cannot be read as an event: \(error)")
            }
            tip.isBroken = true
            tips[stream] = tip
        }
    }

    /// Whether the row has the bytes that were hashed: a time can be written in several ways, and only one was.
    private func isExact(_ event: StoredEvent, _ row: any Row) throws -> Bool {
        try isExact(event.envelope.occurredAt, row, "occurred_at")
            && isExact(event.envelope.recordedAt, row, "recorded_at")
            && row.value("contains_secrets") == event.envelope.containsSecrets.sqlValue
    }

    private func isExact(_ time: Timestamp, _ row: any Row, _ column: String) throws -> Bool {
        if case .time(let microseconds, _) = try row.value(column) { return microseconds == time.milliseconds * 1000 }
        return try row.bytes(column) == Array(time.description.utf8)
    }

    /// An erasure takes the whole payload.
    private func isWhollyErased(_ row: any Row) throws -> Bool {
        try EventTable.payloadColumns.allSatisfy { try row.value($0) == .null }
    }

    private mutating func check(_ event: StoredEvent, isExact: Bool, isPayloadWhole: Bool, inOrderOfRecording: Bool) {
        events += 1
        let envelope = event.envelope
        let stream = envelope.stream
        var tip = tips[stream] ?? Tip()
        defer {
            tip.seq = envelope.streamSeq
            tip.hash = envelope.eventHash
            tips[stream] = tip
            lastGlobalSeq = envelope.globalSeq
        }
        if event.payload == nil { erased += 1 }
        if inOrderOfRecording, envelope.globalSeq != lastGlobalSeq + 1 {
            missingInOrder += envelope.globalSeq - lastGlobalSeq - 1
            let detail = "expected global_seq \(lastGlobalSeq + 1), found \(envelope.globalSeq)"
            orderFaults.append(fault(.orderMismatch, stream, envelope.streamSeq, event, detail))
        }
        // One fault a stream: what follows a break is broken by it.
        guard !tip.isBroken else { return }
        let faultsBefore = faults.count
        if envelope.streamSeq != tip.seq + 1 {
            missingInStreams += max(0, envelope.streamSeq - tip.seq - 1)
            report(
                .gap, stream, tip.seq + 1, event,
                detail: "expected stream_seq \(tip.seq + 1), found \(envelope.streamSeq)")
        } else if envelope.prevEventHash != tip.hash {
            var fault = fault(
                .prevHashMismatch, stream, envelope.streamSeq, event, "the link to the event before is wrong")
            (fault.expectedPrevEventHash, fault.actualPrevEventHash) = (tip.hash, envelope.prevEventHash)
            add(fault)
        } else if envelope.eventHash.isEmpty {
            report(.eventHashMissing, stream, envelope.streamSeq, event, detail: "the event has no hash")
        } else if !isExact || EventHasher.eventHash(envelope) != envelope.eventHash {
            var fault = fault(
                .eventHashMismatch, stream, envelope.streamSeq, event, "a header field is not what was recorded")
            (fault.expectedEventHash, fault.actualEventHash) = (EventHasher.eventHash(envelope), envelope.eventHash)
            add(fault)
        } else if !isPayloadWhole
            || event.payload.map({ EventHasher.payloadDigest($0) != envelope.payloadDigest }) ?? false
        {
            report(
                .payloadDigestMismatch, stream, envelope.streamSeq, event,
                detail: "the payload is not what was recorded")
        } else if event.payload == nil, !erasures.contains(envelope.eventID) {
            report(
                .payloadDigestMismatch, stream, envelope.streamSeq, event,
                detail: "the payload is gone, and no event.erased says who erased it")
        }
        if faults.count > faultsBefore { tip.isBroken = true }
    }

    private mutating func checkHeads(_ select: SQL, in transaction: any ReadTransaction) throws {
        var headed: Set<StreamID> = []
        try transaction.scan(select) { row in
            let stream = StreamID(try row.get("stream_type"), try row.get("stream_id"))
            headed.insert(stream)
            let last = try row.get("next_seq", as: Int64.self) - 1
            let found = tips[stream]?.seq ?? 0
            if found != last, tips[stream]?.isBroken != true {
                missingInStreams += max(0, last - found)
                report(
                    found < last ? .tailMissing : .headMismatch, stream, found + 1, nil,
                    detail: "the stream's head counts \(last) events, the log has \(found)")
            }
            return true
        }
        for stream in tips.keys.filter({ !headed.contains($0) }).sorted(by: { $0.description < $1.description }) {
            report(.headMismatch, stream, 1, nil, detail: "events are there, the stream's head is not")
        }
    }

    /// Holes that the faults of the streams do not explain: events are gone together with all that would miss them.
    private mutating func reportOrder() {
        guard missingInOrder > missingInStreams || (faults.isEmpty && !orderFaults.isEmpty) else { return }
        for fault in orderFaults { add(fault) }
    }

    private mutating func report(
        _ kind: ChainFaultKind, _ stream: StreamID, _ seq: Int64, _ event: StoredEvent?, detail: String
    ) {
        add(fault(kind, stream, seq, event, detail))
    }

    private mutating func add(_ fault: ChainFault) {
        if faults.count < Self.faultsMax { faults.append(fault) }
    }

    private func fault(
        _ kind: ChainFaultKind, _ stream: StreamID, _ seq: Int64, _ event: StoredEvent?, _ detail: String
    ) -> ChainFault {
        ChainFault(
            streamType: stream.type, streamID: stream.id, streamSeq: seq, globalSeq: event?.envelope.globalSeq,
            eventID: event?.envelope.eventID, eventType: event?.envelope.eventType, kind: kind, detail: detail)
    }
}
