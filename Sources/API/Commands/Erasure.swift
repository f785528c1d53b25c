import DatabaseCore
import DatabaseSQLite
import Domain
import EventStore
import JSON
import Platform
import Projectors
import Shared

// Taking back what an event said: in one transaction out of the log, the read models, search and kept answers.

extension Work {
    /// - Parameter temporaryDirectory: For an empty database to fold in.
    /// - Returns: The answer, and the blob that the event named, if it did.
    func erase(
        _ id: EventID, _ body: EraseEvent, _ context: RequestContext, temporaryDirectory: String
    ) throws -> (answer: ErasureAnswer, blob: String?) {
        guard let stored = try EventQueries.event(id, in: transaction), context.maySee(stored.envelope) else {
            throw Rejection(.eventNotFound, "no event \(id.rawValue.prefix(100))")
        }
        let erasure = try ErasureDecider.erase(
            target(stored), reason: body.reason ?? "", CommandFacts(actor: context.actor, now: now))
        guard let event = try stored.typed(), let type = EventCatalogue.decoders[event.event.type] else {
            preconditionFailure("what has an erased form is of a known type")
        }
        let changes = try Scratch.withDatabase(in: temporaryDirectory, environment.entropy) { scratch in
            try Refold.changes(event, leaving: type(erasure.remains), scratch: scratch, in: transaction)
        }
        // Decided; nothing below is refused.
        try EventErasure.erase(stored.envelope, in: transaction)
        try record(erasure.draft)
        try Refold.apply(changes, of: stored.envelope, in: transaction)
        let answers = try IdempotencyTable.erase(mentioning: changes.ids + [id.rawValue], transaction)
        var blob: String?
        if case .artifact(.created(let created)) = event.event { blob = created.sha256 }
        guard let recorded = recorded.last?.envelope.eventID else { preconditionFailure("an erasure is recorded") }
        let answer = ErasureAnswer(
            eventID: id, eventType: stored.envelope.eventType, erasedByEventID: recorded, ids: changes.ids,
            answersErased: answers)
        return (answer, blob)
    }

    private func target(_ stored: StoredEvent) throws -> ErasureDecider.Target {
        let data = try stored.payload.map { try JSON.parse($0.data, limits: .stored) }
        var target = ErasureDecider.Target(stored.envelope, data: data)
        target.run = try stored.envelope.runID.flatMap { try RunTable.find($0, transaction) }
        if let id = data?["approval_id"]?.stringValue {
            target.approval = try ApprovalTable.find(
                ApprovalID(id), in: stored.envelope.workspaceID, transaction)
        }
        return target
    }
}

extension RequestContext {
    /// Whether the event is one of the caller's workspace, or of the instance and the caller its operator.
    func maySee(_ event: EventEnvelope) -> Bool {
        event.workspaceID == workspace || event.workspaceID == .system && caller.isOperator
    }
}

/// An empty database with the read models' tables, for as long as it is needed.
enum Scratch {
    static func withDatabase<Value>(
        in directory: String, _ entropy: any Entropy, _ body: (any Database) throws -> Value
    ) throws -> Value {
        let directory = "\(directory)/rebuild-\(Hex.text(entropy.bytes(8)))"
        try Files.makeFolder(directory)
        defer { try? Files.removeTree(directory) }
        let database = try SQLiteDatabase(
            path: "\(directory)/rebuilt.db",
            migrations: [Migration(1, "projections", ProjectorCatalogue.migration.schema)]
        ) { _ in }
        defer { database.close() }
        return try body(database)
    }
}
