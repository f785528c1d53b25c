import Crypto
package import DatabaseCore
import EventStore
package import Shared

/// Folds the whole log again, into empty tables beside the live ones, and compares: rebuilt = live.
package enum Rebuild {
    /// Events folded in one transaction of the database that is filled.
    private static let batchEvents = 5_000

    /// Fills the tables of `target` from the log of `source`.
    /// - Returns: How many events were folded.
    package static func fill(_ target: any Database, from source: any ReadTransaction) throws -> Int64 {
        var events: Int64 = 0
        var batch: [Recorded<DomainEvent>] = []
        func flush() throws {
            let ready = batch
            batch = []
            try target.writeAndWait { try ProjectorCatalogue.project(ready, in: $0) }
        }
        try EventQueries.eachFolded(in: source) { recorded in
            events += 1
            if let recorded { batch.append(recorded) }
            if batch.count == batchEvents { try flush() }
        }
        try flush()
        return events
    }

    /// Compares every projected table of two databases, row by row.
    package static func compare(
        live: any ReadTransaction, rebuilt: any ReadTransaction
    ) throws -> [TableCheck] {
        try ProjectorCatalogue.all.map { projector in
            let (liveDump, rebuiltDump) = (try Dump(projector, live), try Dump(projector, rebuilt))
            return TableCheck(
                table: projector.name, liveRows: liveDump.rows, rebuiltRows: rebuiltDump.rows,
                liveDigest: liveDump.digest, rebuiltDigest: rebuiltDump.digest,
                firstDifference: liveDump.digest == rebuiltDump.digest
                    ? nil : try firstDifference(projector, live, rebuilt))
        }
    }

    /// A table as one digest.
    private struct Dump {
        var rows: Int64 = 0
        var digest: String

        init(_ projector: Projector, _ transaction: any ReadTransaction) throws {
            let hash = RunningSHA256()
            var count: Int64 = 0
            try projector.eachRow(transaction) { _, row in
                count += 1
                hash.update(Self.bytes(row)[...])
            }
            (rows, digest) = (count, "sha256:" + hash.hex())
        }

        static func bytes(_ row: [SQLValue]) -> [UInt8] { Array("\(row)\n".utf8) }
    }

    private static func firstDifference(
        _ projector: Projector, _ live: any ReadTransaction, _ rebuilt: any ReadTransaction
    ) throws -> String? {
        var rows: [String: [SQLValue]] = [:]
        try projector.eachRow(rebuilt) { key, row in rows[key] = row }
        var difference: String?
        try projector.eachRow(live) { key, row in
            guard difference == nil else { return }
            guard let other = rows.removeValue(forKey: key) else {
                difference = "\(key) is in the live table only"
                return
            }
            if let column = zip(row, other).enumerated().first(where: { $1.0 != $1.1 }) {
                difference =
                    "\(key), column \(column.offset + 1): live \(column.element.0), rebuilt \(column.element.1)"
            }
        }
        return difference ?? rows.keys.min().map { "\($0) is in the rebuilt table only" }
    }
}
