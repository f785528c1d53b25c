/// The envelope's `idempotency_key` of events that the system records on its own: unique in their stream for ever
/// (RULINGS 12), so that each is recorded once whatever races.
package enum EnvelopeKey {
    private static let evidencePrefix = "evidence_manifest:"

    package static func evidence(of run: RunID) -> String { evidencePrefix + run.rawValue }

    package static func runFailed(_ run: RunID, in workspace: WorkspaceID) -> String {
        "incident:run_failed:\(workspace):\(run)"
    }

    /// Whether a caller must not choose the key: it would keep a run from ending.
    package static func isReserved(_ key: String) -> Bool { key.hasPrefix(evidencePrefix) }
}
