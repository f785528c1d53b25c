/// The envelope's `idempotency_key` of events that the system records on its own: unique in their stream for ever
/// (RULINGS 12), so that each is recorded once whatever races.
package enum EnvelopeKey {
    private static let evidencePrefix = "evidence_manifest:"

    package static func evidence(of run: RunID) -> String { evidencePrefix + run.rawValue }

    package static func runFailed(_ run: RunID, in workspace: WorkspaceID) -> String {
        "incident:run_failed:\(workspace):\(run)"
    }

    /// The key that a caller chose, trimmed; nil if it chose none.
    /// - Throws: `invalid_idempotency_key` for one of ours, which would keep a run from ending.
    package static func chosen(_ text: String?) throws(Rejection) -> String? {
        guard let key = Limits.trimmed(text) else { return nil }
        guard !key.hasPrefix(evidencePrefix) else {
            throw .field(
                "idempotency_key", .invalidIdempotencyKey,
                "idempotency_key: keys that begin like this are the system's own; choose another")
        }
        return key
    }
}
