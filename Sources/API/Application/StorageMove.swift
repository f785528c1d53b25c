import Crypto
import DatabaseCore
import EventStore
import Platform
import Projectors
import Shared

/// What was taken over, and the proof that nothing is missing or different.
struct StorageMoveReport: Codable, Hashable, Sendable {
    struct Table: Codable, Hashable, Sendable {
        var table: String
        var rows: Int64
    }

    var from = ""
    var to = ""
    var events: Int64
    var streams: Int64
    /// Of every stream's end: the same in both.
    var headsDigest: String
    /// Of all read models, which were folded anew: the same in both.
    var stateDigest: String
    var readModels: [Table]
    var operational: [Table]
    var milliseconds: Int64 = 0
}

/// Takes everything from one database over into an empty one, of whatever kind, in one transaction of the target: the log
/// as it is, the operational tables, and the read models folded anew. It commits only once both say the same.
enum StorageMove {
    /// What is empty before the first event.
    private static let logTables = ["evt_events", "evt_stream_heads", "evt_subjects"]
    /// Says that it is still at work.
    private static let progressEvents: Int64 = 100_000

    /// - Parameter progress: Told now and then how many events have been taken over.
    static func run(
        from source: any Database, to target: any Database, progress: @escaping @Sendable (Int64) -> Void
    ) throws -> StorageMoveReport {
        try source.writeAndWait { try requireAlone($0, "the database that is to be moved") }
        return try target.writeAndWait { target in
            try requireAlone(target, "the target")
            if target.backend == .postgres {
                // Nobody waits for this turn, and while a long source is walked it says nothing.
                try target.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            }
            try requireEmpty(target)
            return try source.read { source in
                try copy(source, target, progress)
                return try prove(source, target)
            }
        }
    }

    private static func requireAlone(_ transaction: any WriteTransaction, _ what: String) throws {
        let others = try transaction.otherWriters()
        guard others == 0 else {
            throw StartFailure(
                "\(what) is in use by \(others) other process(es); stop every api that works on it first")
        }
    }

    private static func requireEmpty(_ target: any WriteTransaction) throws {
        func refuse(_ name: String) -> StartFailure {
            StartFailure("the target is not empty: \(name) has rows; name a new, empty database")
        }
        for name in logTables + OperationalTables.all.map(\.name) {
            let isUsed = try target.first(SQL(unsafeText: "SELECT 1 AS found FROM \(name) LIMIT 1")) { _ in true }
            if isUsed != nil { throw refuse(name) }
        }
        for projector in ProjectorCatalogue.all {
            try projector.eachRow(target) { _, _ in throw refuse(projector.name) }
        }
    }

    /// Copies the log, folds the read models anew, copies the operational tables. Nothing is compared.
    static func copy(
        _ source: any ReadTransaction, _ target: any WriteTransaction, _ progress: (Int64) -> Void
    ) throws {
        var events: Int64 = 0
        let forms = try ErasedForms(in: source)
        try EventQueries.each(in: source) { event in
            try LogCopy.add(event, in: target)
            if let recorded = try forms.folded(event) { try ProjectorCatalogue.project([recorded], in: target) }
            events += 1
            if events % progressEvents == 0 { progress(events) }
        }
        try LogCopy.addHeads(from: source, in: target)
        for table in OperationalTables.all { try table.copy(source, target) }
    }

    /// - Throws: When the two do not say the same; then nothing of the target is kept.
    private static func prove(
        _ source: any ReadTransaction, _ target: any ReadTransaction
    ) throws -> StorageMoveReport {
        let (before, after) = (try LogVerifier.verifyLog(in: source), try LogVerifier.verifyLog(in: target))
        guard before.valid else {
            throw StartFailure("the log that is to be moved is not valid, run `aos verify`: \(before.faults.prefix(3))")
        }
        guard after == before else { throw StartFailure("the copied log is not the same: \(after.faults.prefix(3))") }
        let heads = try LogCopy.headsDigest(source)
        guard try LogCopy.headsDigest(target) == heads else { throw StartFailure("the streams do not end alike") }
        let checks = try Rebuild.compare(live: source, rebuilt: target)
        for check in checks where check.liveDigest != check.rebuiltDigest {
            throw StartFailure(
                "the read model \(check.table) is not what the log gives: \(check.firstDifference ?? ""); run `aos projections rebuild` first"
            )
        }
        var operational: [StorageMoveReport.Table] = []
        for table in OperationalTables.all {
            let (mine, copied) = (try table.state(source), try table.state(target))
            guard mine == copied else { throw StartFailure("\(table.name) was not copied whole") }
            operational.append(.init(table: table.name, rows: mine.rows))
        }
        let state = SHA256.text(Array(checks.map { "\($0.table) \($0.rebuiltDigest)\n" }.joined().utf8))
        return StorageMoveReport(
            events: before.events, streams: before.streams, headsDigest: heads, stateDigest: state,
            readModels: checks.map { .init(table: $0.table, rows: $0.rebuiltRows) }, operational: operational)
    }
}
