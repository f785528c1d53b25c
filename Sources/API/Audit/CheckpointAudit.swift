import Crypto
import DatabaseCore
import EventStore
import Shared

/// The log against all that was signed of it.
enum CheckpointAudit {
    /// Walks the log and the file side by side: both are in the order of recording.
    static func check(
        _ path: String, _ key: AuditKey, _ transaction: any ReadTransaction
    ) throws -> CheckpointCheck {
        let key = key.noteKey(restores: try Checkpoints.restores(transaction))
        var check = CheckpointCheck(
            path: path, origin: key.name, lines: 0, consistent: true, detail: "nothing was signed yet")
        guard var file = try LineFileReader<Checkpoint>(path: path) else { return check }

        /// The next one of this origin, nil at the end; what another origin signed is another log.
        func next() throws -> Checkpoint? {
            while let found = try file.next() {
                guard found.origin == key.name else { continue }
                check.lines += 1
                check.size = found.size
                if key.verified(found.note) != "\(found.origin)\n\(found.size)\n\(found.root)\n", check.consistent {
                    check.consistent = false
                    check.detail = "checkpoint \(check.lines), of event \(found.size), is not signed by this api's key"
                }
                return found
            }
            return nil
        }

        guard var checkpoint = try next() else { return check }
        if check.consistent { check.detail = "the log holds all that was signed" }
        var (frontier, isAtEnd) = (MerkleFrontier(), false)
        try EventQueries.eachHash(in: transaction) { globalSeq, eventHash in
            frontier.append(leaf: MerkleTree.leaf(eventHash.utf8))
            while check.consistent, !isAtEnd, checkpoint.size <= Int64(frontier.size) {
                if checkpoint.size == Int64(frontier.size), checkpoint.root != Base64.text(frontier.root) {
                    check.consistent = false
                    check.detail = "up to event \(globalSeq) the log is not what was signed"
                }
                if let following = try next() { checkpoint = following } else { isAtEnd = true }
            }
            return check.consistent && !isAtEnd
        }
        if check.consistent, !isAtEnd {
            while try next() != nil {}
            check.consistent = false
            check.detail =
                "the log was signed up to event \(check.size ?? 0) and ends at \(frontier.size): its tail is missing from event \(frontier.size + 1) on"
        }
        return check
    }
}
