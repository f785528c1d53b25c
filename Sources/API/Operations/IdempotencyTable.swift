import DatabaseCore
import EventStore
import Projectors
import Shared

/// The first answer to a request with an `Idempotency-Key`.
struct IdempotentAnswer: Sendable {
    var scope: String
    var bodyDigest: String
    var status: Int
    var body: String
    var createdAt: Timestamp
}

/// `op_idempotency`: all the SQL that touches it is in this file.
enum IdempotencyTable {
    static let keptMilliseconds: Int64 = 24 * 3_600_000

    static let table = Table<IdempotentAnswer>(
        "op_idempotency", keys: ["scope"],
        blank: IdempotentAnswer(
            scope: "", bodyDigest: "", status: 0, body: "", createdAt: Timestamp(milliseconds: 0)),
        columns: [
            Column("scope", \.scope),
            Column("body_digest", \.bodyDigest),
            Column("status", \.status),
            Column("body", \.body),
            Column("created_at", \.createdAt),
        ],
        indexes: ["CREATE INDEX op_idempotency_by_age ON op_idempotency (created_at)"])

    static func find(_ scope: String, _ transaction: any ReadTransaction) throws -> IdempotentAnswer? {
        try table.find(scope, in: transaction)
    }

    static func put(_ answer: IdempotentAnswer, _ transaction: any WriteTransaction) throws {
        try table.put(answer, in: transaction)
    }

    /// Empties the answers in which any of the identifiers stands. That they were given stays: a repeated request is refused
    /// and not carried out again.
    /// - Returns: How many there were.
    static func erase(mentioning ids: [String], _ transaction: any WriteTransaction) throws -> Int {
        let contains: SQL = transaction.backend == .sqlite ? "instr(body, " : "strpos(body, "
        var erased = 0
        for id in ids {
            var statement: SQL =
                "UPDATE op_idempotency SET status = \(erasedStatus), body_digest = '', body = '' WHERE "
            statement.append(contains)
            statement.append("\(id)) > 0")
            erased += try transaction.update(statement)
        }
        return erased
    }

    /// Stands for an answer that was erased.
    static let erasedStatus = 410

    static func removeOld(before time: Timestamp, _ transaction: any WriteTransaction) throws {
        try transaction.execute("DELETE FROM op_idempotency WHERE created_at < \(time)")
    }
}
